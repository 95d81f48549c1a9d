//! Who a caller is, once that is proven.

/// An identity that was authenticated. Only [`crate::auth`] makes one from a request; [`crate::policy`] decides what
/// it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nobody in particular: the request was not signed.
    Anonymous,
    /// The owner of the deployment.
    Root {
        /// The access key the request was signed with.
        access_key: String,
    },
}
