//! The policy of a POST form: until when, and what each field may be
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>).

use std::collections::HashSet;

use serde_json::Map;
use serde_json::Value;

use super::AuthError;
use super::FormFields;
use crate::base::Timestamp;
use crate::s3::date;
use crate::s3::error_code::ErrorCode;

/// A policy document, read and well-formed.
pub(super) struct FormPolicy {
    expiration: Timestamp,
    conditions: Vec<Condition>,
}

enum Condition {
    /// The field, in lower case, is exactly this.
    Equal { field: String, value: String },
    /// The field, in lower case, begins with this.
    StartsWith { field: String, prefix: String },
    /// The file has between so many bytes, both included.
    Length { least: u64, most: u64 },
}

/// Fields that no condition needs to cover: they carry the policy, its signature or the file.
const EXEMPT: [&str; 5] = ["policy", "x-amz-signature", "signature", "awsaccesskeyid", "file"];
/// What else no condition needs to cover: fields that the form's author wants ignored.
const EXEMPT_PREFIX: &str = "x-ignore-";

impl FormPolicy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// `InvalidPolicyDocument`.
    pub(super) fn parse(document: &[u8]) -> Result<Self, AuthError> {
        let document: Map<String, Value> =
            serde_json::from_slice(document).map_err(|_| invalid("Invalid JSON."))?;
        if let Some(name) = document.keys().find(|name| !matches!(name.as_str(), "expiration" | "conditions"))
        {
            return Err(invalid(&format!("Unexpected: '{name}'")));
        }
        let expiration = match document.get("expiration") {
            Some(Value::String(text)) => parse_expiration(text)
                .ok_or_else(|| invalid(&format!("Invalid 'expiration' value: '{text}'")))?,
            Some(_) => return Err(invalid("Invalid 'expiration' value.")),
            None => return Err(invalid("Policy missing expiration.")),
        };
        let conditions = match document.get("conditions") {
            Some(Value::Array(conditions)) => {
                conditions.iter().map(Condition::parse).collect::<Result<Vec<_>, _>>()?
            }
            Some(_) => return Err(invalid("Invalid 'conditions' value: must be a List.")),
            None => return Err(invalid("Policy missing conditions.")),
        };
        Ok(Self { expiration, conditions })
    }

    /// Holds a form to the policy; returns the bounds of the file's length in bytes, both included.
    ///
    /// # Errors
    /// `AccessDenied` with what was not met.
    pub(super) fn check(
        &self,
        form: &FormFields<'_>,
        now: Timestamp,
    ) -> Result<Option<(u64, u64)>, AuthError> {
        if now > self.expiration {
            return Err(denied("Policy expired."));
        }
        if form.fields.iter().any(|(name, value)| *name == "bucket" && *value != form.bucket) {
            return Err(denied("Policy Condition failed: the bucket is that of the URL"));
        }
        let mut length: Option<(u64, u64)> = None;
        // The bucket comes with the URL and must be covered as a field would be.
        let mut uncovered: HashSet<&str> =
            form.fields.iter().map(|(name, _)| *name).filter(|name| !exempt(name)).collect();
        uncovered.insert("bucket");
        for condition in &self.conditions {
            let field = match condition {
                Condition::Length { least, most } => {
                    let (floor, ceiling) = length.unwrap_or((0, u64::MAX));
                    length = Some((floor.max(*least), ceiling.min(*most)));
                    continue;
                }
                Condition::Equal { field, .. } | Condition::StartsWith { field, .. } => field.as_str(),
            };
            if !values(form, field).iter().all(|value| condition.allows(value)) {
                return Err(denied(&format!("Policy Condition failed: {}", condition.written())));
            }
            uncovered.remove(field);
        }
        match form
            .fields
            .iter()
            .map(|(name, _)| *name)
            .chain(["bucket"])
            .find(|name| uncovered.contains(name))
        {
            None => Ok(length),
            Some(field) => Err(denied(&format!("Extra input fields: {field}"))),
        }
    }
}

/// Every value of a field: whichever of two is used later, both were allowed. A field that is missing is empty.
fn values<'a>(form: &FormFields<'a>, field: &str) -> Vec<&'a str> {
    if field == "bucket" {
        return vec![form.bucket];
    }
    let given = form.fields.iter().filter(|(name, _)| *name == field).map(|(_, value)| *value);
    let mut values: Vec<&str> = given.collect();
    if values.is_empty() {
        values.push("");
    }
    values
}

fn exempt(name: &str) -> bool {
    EXEMPT.contains(&name) || name.starts_with(EXEMPT_PREFIX)
}

impl Condition {
    fn parse(condition: &Value) -> Result<Self, AuthError> {
        match condition {
            Value::Object(fields) => {
                let mut fields = fields.iter();
                let (Some((field, value)), None) = (fields.next(), fields.next()) else {
                    return Err(invalid(
                        "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
                    ));
                };
                let Value::String(value) = value else {
                    return Err(invalid("Invalid Simple-Condition: value must be a string."));
                };
                Ok(Self::Equal { field: field.to_ascii_lowercase(), value: value.clone() })
            }
            Value::Array(parts) => Self::parse_list(parts),
            _ => Err(invalid("Invalid Condition: must be an Object or a List.")),
        }
    }

    fn parse_list(parts: &[Value]) -> Result<Self, AuthError> {
        let [Value::String(operator), second, third] = parts else {
            return Err(invalid("Invalid Condition: wrong number of arguments."));
        };
        let operator = operator.to_ascii_lowercase();
        if operator == "content-length-range" {
            return match (bound(second), bound(third)) {
                (Some(least), Some(most)) if least <= most => Ok(Self::Length { least, most }),
                _ => Err(invalid("Invalid content-length-range: two numbers in order are needed.")),
            };
        }
        let (Value::String(field), Value::String(value)) = (second, third) else {
            return Err(invalid("Invalid Condition: field and value must be strings."));
        };
        let Some(field) = field.strip_prefix('$').map(str::to_ascii_lowercase) else {
            return Err(invalid("Invalid Condition: the field must begin with '$'."));
        };
        match operator.as_str() {
            "eq" => Ok(Self::Equal { field, value: value.clone() }),
            "starts-with" => Ok(Self::StartsWith { field, prefix: value.clone() }),
            _ => Err(invalid(&format!("Invalid Condition: unknown operation '{operator}'."))),
        }
    }

    fn allows(&self, given: &str) -> bool {
        match self {
            Self::Equal { value, .. } => given == value,
            // A list of content types is allowed when each of them is.
            Self::StartsWith { field, prefix } if field == "content-type" && given.contains(',') => {
                given.split(',').all(|one| one.trim_start().starts_with(prefix.as_str()))
            }
            Self::StartsWith { prefix, .. } => given.starts_with(prefix.as_str()),
            Self::Length { .. } => true,
        }
    }

    /// As the policy wrote it, for the refusal.
    fn written(&self) -> String {
        let parts: [Value; 3] = match self {
            Self::Equal { field, value } => ["eq".into(), format!("${field}").into(), value.as_str().into()],
            Self::StartsWith { field, prefix } => {
                ["starts-with".into(), format!("${field}").into(), prefix.as_str().into()]
            }
            Self::Length { least, most } => ["content-length-range".into(), (*least).into(), (*most).into()],
        };
        Value::from(parts.to_vec()).to_string()
    }
}

/// A bound in bytes: a number, or its digits in a string.
fn bound(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}

/// ISO 8601 with a `T`, with or without milliseconds.
fn parse_expiration(text: &str) -> Option<Timestamp> {
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    date::parse_iso(text)
}

fn invalid(fault: &str) -> AuthError {
    AuthError::new(ErrorCode::InvalidPolicyDocument, format!("Invalid Policy: {fault}"))
}

fn denied(fault: &str) -> AuthError {
    AuthError::new(ErrorCode::AccessDenied, format!("Invalid according to Policy: {fault}"))
}
