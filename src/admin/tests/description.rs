//! `docs/openapi.json` and the table of endpoints, compared both ways. Every other test of this folder holds what it is
//! answered to the same document.

use serde_json::json;

use super::Ask;
use super::Description;
use super::Rig;
use super::routes;
use crate::admin::endpoints::ENDPOINTS;

#[test]
fn every_endpoint_is_described_and_every_description_leads_somewhere() {
    let description = Description::parse(routes::DOCUMENT);
    let mut described: Vec<_> =
        description.operations().iter().map(|found| (found.method.clone(), found.path.to_owned())).collect();
    let mut routed: Vec<_> =
        ENDPOINTS.iter().map(|endpoint| (endpoint.method.to_owned(), endpoint.path.to_owned())).collect();
    described.sort();
    routed.sort();
    assert_eq!(described, routed);
}

#[test]
fn what_asks_for_no_credentials_says_so_and_what_takes_a_body_too() {
    let description = Description::parse(routes::DOCUMENT);
    for found in description.operations() {
        let endpoint = ENDPOINTS
            .iter()
            .find(|endpoint| endpoint.path == found.path && endpoint.method == found.method)
            .unwrap();
        assert_eq!(found.operation.get("security").is_some(), endpoint.operation.is_open(), "{}", found.path);
        assert_eq!(
            found.operation.get("requestBody").is_some(),
            endpoint.operation.takes_body(),
            "{}",
            found.path
        );
        assert!(found.operation["operationId"].is_string(), "{}", found.path);
    }
}

#[test]
fn it_is_served() {
    let rig = Rig::new();
    let served = rig.send(&Ask::new("GET", "/admin/v1/openapi.json").anonymous());
    assert_eq!((served.status, served.body.as_str()), (200, routes::DOCUMENT));
}

/// The judge of the other tests must be able to find fault.
#[test]
fn the_judge_finds_fault() {
    let description = Description::parse(routes::DOCUMENT);
    let schema = json!({"$ref": "#/components/schemas/Volume"});
    let sound = serde_json::to_value(super::fake::volume(1, "/x")).unwrap();
    assert_eq!(description.check(&schema, &sound, ""), Vec::<String>::new());
    let bends: [fn(&mut serde_json::Value); 7] = [
        |volume| drop(volume.as_object_mut().unwrap().remove("path")),
        |volume| volume["more"] = json!(1),
        |volume| volume["capacity_bytes"] = json!(-1),
        |volume| volume["capacity_bytes"] = json!("1"),
        |volume| volume["state"] = json!("lost"),
        |volume| volume["id"] = json!("X"),
        |volume| volume["metadata"] = json!({"role": "leader"}),
    ];
    for (number, bend) in bends.iter().enumerate() {
        let mut bent = sound.clone();
        bend(&mut bent);
        assert_eq!(description.check(&schema, &bent, "").len(), 1, "bend {number}");
    }
    let answer =
        |status, body| description.judge(("GET", "/admin/v1/jobs"), (status, "application/json", body));
    assert!(answer(200, r#"{"jobs":[]}"#).is_empty());
    assert!(answer(404, r#"{"code":"x","message":"y"}"#).is_empty());
    assert_eq!(answer(201, r#"{"jobs":[]}"#).len(), 1);
    assert!(!answer(404, r#"{"jobs":[]}"#).is_empty());
}
