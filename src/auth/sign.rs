//! Signing of outgoing requests.
