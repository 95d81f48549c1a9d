#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::*;

#[test]
fn every_endpoint_is_found() {
    for endpoint in ENDPOINTS {
        let path = endpoint.path.replace("{id}", "x1").replace("{name}", "x1");
        let parameter = if endpoint.path.contains('{') { "x1" } else { "" };
        assert_eq!(
            find(endpoint.method, &path),
            Found::Operation(endpoint.operation, parameter),
            "{} {path}",
            endpoint.method
        );
    }
    assert_eq!(find("HEAD", "/health/live"), Found::Operation(Operation::Live, ""));
}

#[test]
fn what_is_almost_an_endpoint_is_none() {
    for path in [
        "",
        "/",
        "/admin",
        "/admin/v1",
        "/admin/v1/",
        "/admin/v1/volumes/",
        "/admin/v1/volumes//drain",
        "/admin/v1/volumes/x/drain/",
        "/admin/v1/volumes/x/y",
        "/admin/v1/Volumes",
        "//admin/v1/volumes",
        "/admin/v2/volumes",
        "/admin/v1/%76olumes",
    ] {
        assert_eq!(find("GET", path), Found::Nothing, "{path}");
    }
}

#[test]
fn a_wrong_method_hears_the_right_ones() {
    let allow = |allow: &str| Found::WrongMethod(allow.to_owned());
    assert_eq!(find("PUT", "/admin/v1/volumes"), allow("GET, HEAD, POST"));
    assert_eq!(find("PATCH", "/admin/v1/volumes/x"), allow("GET, HEAD, DELETE"));
    assert_eq!(find("GET", "/admin/v1/volumes/x/drain"), allow("POST"));
    assert_eq!(find("POST", "/admin/v1/jobs/x/rate"), allow("PUT"));
    assert_eq!(find("get", "/metrics"), allow("GET, HEAD"));
}

/// An operation that no endpoint leads to could not be asked for.
#[test]
fn no_operation_is_there_twice() {
    for (number, endpoint) in ENDPOINTS.iter().enumerate() {
        let earlier = &ENDPOINTS[..number];
        assert!(
            earlier.iter().all(|other| other.operation != endpoint.operation),
            "{:?}",
            endpoint.operation
        );
        assert!(!endpoint.operation.takes_body() || endpoint.method != "GET");
    }
}
