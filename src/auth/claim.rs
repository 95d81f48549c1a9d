//! What a request claims about its signature: taken apart, and checked as far as that goes without the secret.

use std::borrow::Cow;

use super::AuthError;
use super::Settings;
use super::signing_key::Scope;
use super::signing_key::TERMINAL;
use crate::base::Timestamp;
use crate::s3::date;
use crate::s3::error_code::ErrorCode;

/// How far a client's clock may be off, in milliseconds.
pub(super) const SKEW_MILLIS_MAX: u64 = 15 * 60 * 1000;

/// The longest validity of a presigned request, in seconds: seven days.
const EXPIRES_SECONDS_MAX: u64 = 604_800;

/// Where the claim was made; it decides how faults are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Header,
    Query,
    Form,
}

impl Way {
    /// A fault in the credential or in the claim as a whole.
    pub(super) fn malformed(self, fault: &str) -> AuthError {
        match self {
            Self::Header => AuthError::new(
                ErrorCode::AuthorizationHeaderMalformed,
                format!("The authorization header is malformed; {fault}"),
            ),
            Self::Query | Self::Form => AuthError::new(
                ErrorCode::AuthorizationQueryParametersError,
                format!("Error parsing the X-Amz-Credential parameter; {fault}"),
            ),
        }
    }
}

/// A credential: an access key and the scope its signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Credential<'a> {
    pub access_key: &'a str,
    pub scope: Scope<'a>,
}

impl<'a> Credential<'a> {
    /// Reads `KEY/YYYYMMDD/REGION/s3/aws4_request`. The region may be empty where any region is taken: some admin
    /// clients sign so.
    pub(super) fn parse(text: &'a str, way: Way, settings: &Settings) -> Result<Self, AuthError> {
        // From the right: an access key may hold slashes.
        let mut parts = text.rsplitn(5, '/');
        let (Some(terminal), Some(service), Some(region), Some(day), Some(access_key)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(way.malformed(
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            ));
        };
        if terminal != TERMINAL {
            return Err(way.malformed(&format!(
                "incorrect terminal \"{terminal}\". This endpoint uses \"{TERMINAL}\"."
            )));
        }
        if service != "s3" {
            return Err(
                way.malformed(&format!("incorrect service \"{service}\". This endpoint belongs to \"s3\"."))
            );
        }
        if day.len() != 8 || !day.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(way.malformed(&format!(
                "incorrect date format \"{day}\". This date in the credential must be in the format \"yyyyMMdd\"."
            )));
        }
        if !settings.any_region && region != settings.region {
            let expected = &settings.region;
            return Err(way
                .malformed(&format!("the region '{region}' is wrong; expecting '{expected}'"))
                .with("Region", expected.clone()));
        }
        Ok(Self { access_key, scope: Scope { date: day, region, service } })
    }

    /// The day of the scope must be the day of the request, or a key of one day would sign for others.
    pub(super) fn check_day(&self, time: &str, way: Way) -> Result<(), AuthError> {
        let day = time.get(..8).unwrap_or(time);
        if self.scope.date == day {
            return Ok(());
        }
        let fault = format!(
            "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{day}\".",
            self.scope.date
        );
        Err(match way {
            Way::Header => AuthError::new(ErrorCode::AuthorizationHeaderMalformed, fault),
            Way::Query | Way::Form => AuthError::new(ErrorCode::AuthorizationQueryParametersError, fault),
        })
    }
}

/// The components of an `Authorization` header of version 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    pub credential: &'a str,
    pub signed_headers: &'a str,
    pub signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, in any order, with or without spaces.
    pub(super) fn parse(value: &'a str) -> Result<Self, AuthError> {
        let (scheme, rest) = value.split_once([' ', '\t']).unwrap_or((value, ""));
        if scheme != super::canonical::ALGORITHM {
            return Err(unsupported());
        }
        let missing = || {
            Way::Header.malformed(
                "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
            )
        };
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for component in rest.split(',').map(str::trim).filter(|component| !component.is_empty()) {
            let (name, value) = component.split_once('=').ok_or_else(missing)?;
            let place = match name.trim_end() {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(missing()),
            };
            if place.replace(value.trim_start()).is_some() {
                return Err(missing());
            }
        }
        let filled = |place: Option<&'a str>| place.filter(|value| !value.is_empty()).ok_or_else(missing);
        Ok(Self {
            credential: filled(credential)?,
            signed_headers: filled(signed_headers)?,
            signature: filled(signature)?,
        })
    }
}

/// What AWS answers where version 2 (or anything but version 4) is not taken.
pub(super) fn unsupported() -> AuthError {
    AuthError::new(
        ErrorCode::InvalidRequest,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
}

/// The names in `SignedHeaders`, sorted, as canonical requests list them.
pub(super) fn signed_headers(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text.split(';').collect();
    if !names.is_sorted() {
        names.sort_unstable();
    }
    names
}

/// The time of a request, as its string to sign has it and as a point in time.
pub(super) struct Time<'a> {
    pub text: Cow<'a, str>,
    pub at: Timestamp,
}

impl<'a> Time<'a> {
    /// Reads `x-amz-date` or `Date`: the form of version 4, or one of HTTP's, which the string to sign then has in the
    /// form of version 4.
    pub(super) fn parse(value: &'a str) -> Option<Self> {
        let value = value.trim();
        if let Some(at) = date::parse_amz(value) {
            return Some(Self { text: Cow::Borrowed(value), at });
        }
        let at = date::parse_http(value)?;
        Some(Self { text: Cow::Owned(date::amz(at)), at })
    }

    /// Reads `X-Amz-Date`, which has one form.
    pub(super) fn parse_presigned(value: &'a str) -> Result<Self, AuthError> {
        let at = date::parse_amz(value).ok_or_else(|| {
            AuthError::new(
                ErrorCode::AuthorizationQueryParametersError,
                "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
            )
        })?;
        Ok(Self { text: Cow::Borrowed(value), at })
    }

    /// Refuses a clock that is too far off.
    pub(super) fn check_skew(&self, given: &str, now: Timestamp) -> Result<(), AuthError> {
        if self.at.as_millis().abs_diff(now.as_millis()) <= SKEW_MILLIS_MAX {
            return Ok(());
        }
        Err(AuthError::of(ErrorCode::RequestTimeTooSkewed)
            .with("RequestTime", given)
            .with("ServerTime", iso_seconds(now))
            .with("MaxAllowedSkewMilliseconds", SKEW_MILLIS_MAX.to_string()))
    }

    /// Refuses a presigned request outside its validity of `expires` seconds.
    pub(super) fn check_expiry(&self, expires: u64, now: Timestamp) -> Result<(), AuthError> {
        if self.at.as_millis() > now.as_millis().saturating_add(SKEW_MILLIS_MAX) {
            return Err(AuthError::new(ErrorCode::AccessDenied, "Request is not valid yet")
                .with("ServerTime", iso_seconds(now)));
        }
        let end = self.at.plus(std::time::Duration::from_secs(expires));
        if now <= end {
            return Ok(());
        }
        Err(AuthError::new(ErrorCode::AccessDenied, "Request has expired")
            .with("X-Amz-Expires", expires.to_string())
            .with("Expires", iso_seconds(end))
            .with("ServerTime", iso_seconds(now)))
    }
}

/// Reads `X-Amz-Expires`, in seconds.
pub(super) fn parse_expires(value: &str) -> Result<u64, AuthError> {
    let fault = |message| Err(AuthError::new(ErrorCode::AuthorizationQueryParametersError, message));
    match value.parse::<i128>() {
        Err(_) => fault("X-Amz-Expires should be a number"),
        // Whoever asked for no time at all has a request that has expired, which is what it is told.
        Ok(..=0) => {
            Err(AuthError::new(ErrorCode::AccessDenied, "Request has expired").with("X-Amz-Expires", value))
        }
        Ok(seconds) => match u64::try_from(seconds) {
            Ok(seconds) if seconds <= EXPIRES_SECONDS_MAX => Ok(seconds),
            _ => fault(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be \
                 less than 604800 seconds",
            ),
        },
    }
}

/// The form of the error documents: `2013-05-24T00:00:00Z`.
fn iso_seconds(at: Timestamp) -> String {
    let text = date::iso(at);
    format!("{}Z", text.get(..19).unwrap_or_default())
}
