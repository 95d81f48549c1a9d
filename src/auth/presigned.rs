//! The authentication parameters of a query
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::AuthError;
use crate::s3::error_code::ErrorCode;

/// The authentication parameters that a query holds, decoded. Their names count in any case.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters<'a> {
    pub algorithm: Option<Cow<'a, str>>,
    pub credential: Option<Cow<'a, str>>,
    pub date: Option<Cow<'a, str>>,
    pub expires: Option<Cow<'a, str>>,
    pub signed_headers: Option<Cow<'a, str>>,
    pub signature: Option<Cow<'a, str>>,
    pub content_sha256: Option<Cow<'a, str>>,
    pub security_token: Option<Cow<'a, str>>,
    /// Version 2 is asked for.
    pub version2: bool,
}

/// What every presigned request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Presigned<'a> {
    pub credential: &'a str,
    pub date: &'a str,
    pub expires: &'a str,
    pub signed_headers: &'a str,
    pub signature: &'a str,
}

impl<'a> Parameters<'a> {
    /// Takes the authentication parameters out of a raw query.
    ///
    /// # Errors
    /// `AuthorizationQueryParametersError` when one comes twice or is not UTF-8.
    pub(super) fn parse(query: &'a str) -> Result<Self, AuthError> {
        let mut found = Self::default();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            found.version2 |= matches!(name, "AWSAccessKeyId" | "Signature");
            if let Some(place) = found.place(name)
                && place.replace(decoded(value)?).is_some()
            {
                return Err(fault(format!("{name} must be given once")));
            }
        }
        Ok(found)
    }

    /// Whether the query says how the request is authenticated. One parameter is enough: a request that lost the
    /// others is broken, not anonymous.
    pub(super) fn authenticates(&self) -> bool {
        self.version2 || self.algorithm.is_some() || self.credential.is_some() || self.signature.is_some()
    }

    /// What a presigned request must carry.
    ///
    /// # Errors
    /// `AuthorizationQueryParametersError` when something is missing or the algorithm is another.
    pub(super) fn presigned(&self) -> Result<Presigned<'_>, AuthError> {
        match self.algorithm.as_deref() {
            Some(super::canonical::ALGORITHM) | None => {}
            Some(_) => {
                return Err(fault("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"".to_owned()));
            }
        }
        match (
            &self.algorithm,
            &self.credential,
            &self.date,
            &self.expires,
            &self.signed_headers,
            &self.signature,
        ) {
            (Some(_), Some(credential), Some(date), Some(expires), Some(signed_headers), Some(signature)) => {
                Ok(Presigned { credential, date, expires, signed_headers, signature })
            }
            _ => Err(fault(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
                    .to_owned(),
            )),
        }
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<Cow<'a, str>>> {
        let rest = name.get(..6).filter(|prefix| prefix.eq_ignore_ascii_case("x-amz-")).and(name.get(6..))?;
        let places = [
            ("algorithm", &mut self.algorithm),
            ("credential", &mut self.credential),
            ("date", &mut self.date),
            ("expires", &mut self.expires),
            ("signedheaders", &mut self.signed_headers),
            ("signature", &mut self.signature),
            ("content-sha256", &mut self.content_sha256),
            ("security-token", &mut self.security_token),
        ];
        places.into_iter().find(|(known, _)| rest.eq_ignore_ascii_case(known)).map(|(_, place)| place)
    }
}

fn fault(message: String) -> AuthError {
    AuthError::new(ErrorCode::AuthorizationQueryParametersError, message)
}

fn decoded(value: &str) -> Result<Cow<'_, str>, AuthError> {
    percent_decode_str(value)
        .decode_utf8()
        .map_err(|_| fault("The authorization query parameters must be UTF-8.".to_owned()))
}
