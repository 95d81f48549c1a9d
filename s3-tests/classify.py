"""Proposes a line of expectations.txt for every collected case.

    classify.py SUITE COLLECTED [RESULTS] >expectations.txt

Without results it reads the suite: the source of a test and of the helpers it calls shows which features it needs.
With results of a run against Holdall it believes the run. A failure counts as waiting only when an answer said 501
NotImplemented or did not know the user; any other failure keeps `pass`, and the next run calls it unexpected. A pass
on the way to which something was refused is `empty`: it asked for a refusal, and says nothing about the feature.
"""

import ast
import json
import os
import re
import sys

HEAD = """\
# Every case of ceph/s3-tests at the commit named in run.sh, and what to expect of it (compare.py reads this):
#
#   pass               passes
#   empty:FEATURE      passes before the feature is there, because it asks for a refusal only; proves nothing
#   waits:FEATURE      does not pass before the feature is there
#   not-s3:REASON      asks for something that is not S3, or that S3 does no longer do; it is not run
#
# `select` is S3 Select, `identity` users beside the root credentials, `lifecycle-day` a day that can be shortened.
# Proposed by classify.py, corrected by hand and by runs. A change that makes a case pass changes its line.
"""

# A marker or a word in the source, and what it needs; the first that matches decides.
NOT_S3 = [
    (r"^auth_aws2$", "sigv2"),
    (r"^sns$", "sns-service"),
    (r"^(cloud_transition|cloud_restore|target_by_bucket)$", "ceph-cloud-tier"),
    (r"^(bucket_logging_cleanup|fails_without_logging_rollover)$", "ceph-logging"),
]
NOT_S3_SOURCE = [
    (r"x-rgw-|get_usage|allow-unordered|allow_unordered|\?usage|read-stats", "ceph-header"),
    (r"get_v2_client|get_v2_tenant_client|'s3'\)\)|hmac\.new\(|AWSAccessKeyId", "sigv2"),
    (r"':' ?\+|\":\" ?\+|Bucket=':|tenant_name|':\{\}", "ceph-tenants"),
    (r"torrent", "bittorrent"),
]
FEATURES = [
    (r"def test_copy_(part_)?enc\(", "sse"),
    (r"get_sts_client|assume_role|get_session_token", "sts"),
    (r"get_iam_client|get_iam_root|iam_root|user_policy", "iam"),
    (r"select_object_content", "select"),
    (r"get_alt_client|get_tenant_client|get_alt_", "identity"),
    (r"ObjectLock|object_lock|put_object_retention|legal_hold|get_object_retention", "lock"),
    (r"versioning|list_object_versions|VersionId", "versioning"),
    (r"put_bucket_lifecycle|lifecycle", "lifecycle"),
    (r"SSECustomer|ServerSideEncryption|server-side-encryption|bucket_encryption|sse_", "sse"),
    (r"put_public_access_block|PublicAccessBlock", "public-access-block"),
    (r"OwnershipControls|ObjectOwnership|ownership_controls", "ownership"),
    (r"bucket_policy|make_json_policy", "policy"),
    (r"put_bucket_logging|bucket_logging", "logging"),
    (r"bucket_cors|_cors_", "cors"),
    (r"_tagging|Tagging", "tagging"),
    (r"\bACL=|_acl\(|'acl'|\"acl\"|acl=|GrantRead|Grants", "acl"),
    (r"get_unauthenticated_client", "acl"),
    (r"bucket_website", "website"),
    (r"bucket_notification", "notification"),
    (r"request_payment", "request-payment"),
    (r"restore_object", "restore"),
]
# Decided by hand, each after a look at the case and at what AWS documents.
DECIDED = {
    # botocore puts the header back before it signs: the server gets a sound request.
    "test_headers.py::test_bucket_create_bad_authorization_empty": "not-s3:client-mends-it",
    "test_headers.py::test_bucket_create_bad_authorization_none": "not-s3:client-mends-it",
    "test_headers.py::test_object_create_bad_authorization_empty": "not-s3:client-mends-it",
    "test_headers.py::test_object_create_bad_authorization_none": "not-s3:client-mends-it",
    "test_headers.py::test_object_create_bad_contentlength_none": "not-s3:client-mends-it",
    # A conditional delete of what is not there is 404 on AWS; the suite wants 204.
    "test_s3.py::test_delete_object_if_match": "not-s3:ceph-conditional-delete",
    # Size and time as conditions are for directory buckets.
    "test_s3.py::test_delete_object_if_match_last_modified_time": "not-s3:directory-buckets",
    "test_s3.py::test_delete_object_if_match_size": "not-s3:directory-buckets",
    "test_s3.py::test_delete_objects_if_match_last_modified_time": "not-s3:directory-buckets",
    "test_s3.py::test_delete_objects_if_match_size": "not-s3:directory-buckets",
    # The key is valid UTF-8 since the suite moved to Python 3.
    "test_s3.py::test_object_read_unreadable": "not-s3:suite-is-wrong",
    # Python sends the letter as ISO 8859-1 and signs it as UTF-8; wanted back are the bytes that were sent.
    "test_s3.py::test_object_set_get_unicode_metadata": "waits:metadata-bytes",
    # AWS does not list buckets for nobody.
    "test_s3.py::test_list_buckets_anonymous": "not-s3:ceph-anonymous-list",
    # These fail without an answer that says what is missing.
    "test_s3.py::test_delete_marker_nonversioned": "waits:versioning",
    "test_s3.py::test_get_bucket_policy_status": "waits:policy",
    "test_s3.py::test_get_nonpublicpolicy_acl_bucket_policy_status": "waits:policy",
    "test_s3.py::test_get_publicpolicy_acl_bucket_policy_status": "waits:policy",
}
# Services beside S3: their answers do not say 501 in a form that the plugin understands.
SERVICES = ("waits:iam", "waits:sts", "waits:select")
MISSING = {
    "acl": "acl", "x-amz-acl": "acl", "x-amz-grant": "acl", "versioning": "versioning", "versions": "versioning",
    "versionId": "versioning", "policy": "policy", "policyStatus": "policy", "publicAccessBlock": "public-access-block",
    "ownershipControls": "ownership", "x-amz-object-ownership": "ownership", "tagging": "tagging",
    "x-amz-tagging": "tagging", "x-amz-tagging-directive": "tagging", "cors": "cors", "lifecycle": "lifecycle",
    "encryption": "sse", "x-amz-server-side-encryption": "sse", "x-amz-copy-source-server-side-encryption": "sse",
    "object-lock": "lock", "x-amz-bucket-object-lock": "lock", "x-amz-object-lock": "lock", "retention": "lock",
    "legal-hold": "lock", "logging": "logging", "website": "website", "notification": "notification",
    "replication": "replication", "requestPayment": "request-payment", "select": "select", "select-type": "select",
    "restore": "restore", "torrent": "torrent", "accelerate": "accelerate", "x-amz-website-redirect-location": "website",
}  # fmt: skip


def sources(suite):
    """Name of a function of the suite -> its source with that of the helpers it calls."""
    own = {}
    for name in os.listdir(os.path.join(suite, "s3tests/functional")):
        if not name.endswith(".py"):
            continue
        with open(os.path.join(suite, "s3tests/functional", name), encoding="utf-8") as file:
            text = file.read()
        lines = text.split("\n")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                own[node.name] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    reached = {}
    for name in own:
        seen, todo = set(), [name]
        while todo:
            one = todo.pop()
            # A client's own set-up says nothing about what the test asks of it.
            if one in seen or one not in own or (one != name and re.match(r"get_|nuke|configure|setup|teardown", one)):
                continue
            seen.add(one)
            todo += re.findall(r"\b([A-Za-z_]\w*)\(", own[one])
        reached[name] = "\n".join(own[one] for one in sorted(seen))
    return reached


def by_source(case, markers, text):
    file = case.split("::")[0]
    for pattern, reason in NOT_S3:
        if any(re.search(pattern, marker) for marker in markers):
            return f"not-s3:{reason}"
    if file in ("test_sts.py", "test_iam.py", "test_s3select.py"):
        return "waits:" + {"test_sts.py": "sts", "test_iam.py": "iam", "test_s3select.py": "select"}[file]
    for pattern, reason in NOT_S3_SOURCE:
        if re.search(pattern, text):
            return f"not-s3:{reason}"
    for pattern, feature in FEATURES:
        if re.search(pattern, text):
            return f"waits:{feature}"
    return "pass"


def missing_feature(missing, proposed):
    for one in missing:
        if one == "identity":
            continue
        word = one.split(" ", 1)[-1].lstrip("?")
        for known, feature in sorted(MISSING.items(), key=lambda item: -len(item[0])):
            if word == known or (known.startswith("x-amz-") and word.startswith(known)):
                return feature
        # Refused for something in the request that the answer does not name.
        return proposed.removeprefix("waits:") if proposed != "pass" else re.sub(r"[^a-z0-9]+", "-", one.lower()).strip("-")
    return "identity"


def by_result(proposed, case):
    missing = case.get("missing")
    if case["outcome"] == "passed":
        if proposed in SERVICES:
            return proposed.replace("waits:", "empty:")
        return f"empty:{missing_feature(missing, proposed)}" if missing else "pass"
    if missing:
        return f"waits:{missing_feature(missing, proposed)}"
    return proposed if case["outcome"] == "skipped" or proposed in SERVICES else "pass"


def main():
    reached = sources(sys.argv[1])
    results = {}
    if len(sys.argv) > 3:
        with open(sys.argv[3], encoding="utf-8") as file:
            results = json.load(file)["cases"]
    print(HEAD)
    lines = []
    with open(sys.argv[2], encoding="utf-8") as file:
        for line in file:
            case, markers = line.rstrip("\n").split("\t")
            function = case.split("::")[1].split("[")[0]
            kind = by_source(case, markers.split(","), reached.get(function, ""))
            if case in DECIDED:
                kind = DECIDED[case]
            elif case in results and not kind.startswith("not-s3:"):
                kind = by_result(kind, results[case])
            lines.append(f"{case}  {kind}")
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    main()
