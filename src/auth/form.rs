//! POST forms: who signed one, and whether its policy allows it
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq as _;

use super::AuthError;
use super::Keys;
use super::Verifier;
use super::canonical;
use super::claim;
use super::claim::Credential;
use super::claim::Time;
use super::claim::Way;
use super::form_policy::FormPolicy;
use super::refusal;
use super::verifier;
use crate::base::Identity;
use crate::base::Timestamp;
use crate::s3::error_code::ErrorCode;

/// The fields of a POST form that came before its file.
#[derive(Debug, Clone, Copy)]
pub struct FormFields<'a> {
    /// The bucket of the URL; a field of that name never chooses one.
    pub bucket: &'a str,
    /// Names in lower case and values, in order, with `${filename}` already expanded: policies are held against what
    /// will be stored.
    pub fields: &'a [(&'a str, &'a str)],
}

/// Proof that a form is from whom it says and that its policy allows its fields. Only [`Verifier`] makes it.
#[derive(Debug)]
pub struct AuthenticatedForm {
    identity: Identity,
    /// Bounds of the file's length in bytes, both included.
    length: Option<(u64, u64)>,
}

impl AuthenticatedForm {
    /// Who signed it.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The most bytes the file may have, to stop reading a longer one early.
    pub fn length_max(&self) -> Option<u64> {
        self.length.map(|(_, most)| most)
    }

    /// Holds the length of the file, in bytes, to the policy's `content-length-range`.
    ///
    /// # Errors
    /// `EntityTooSmall` or `EntityTooLarge`.
    pub fn check_length(&self, length: u64) -> Result<(), AuthError> {
        match self.length {
            Some((least, _)) if length < least => Err(AuthError::of(ErrorCode::EntityTooSmall)
                .with("ProposedSize", length.to_string())
                .with("MinSizeAllowed", least.to_string())),
            Some((_, most)) if length > most => Err(AuthError::of(ErrorCode::EntityTooLarge)
                .with("ProposedSize", length.to_string())
                .with("MaxSizeAllowed", most.to_string())),
            _ => Ok(()),
        }
    }
}

impl<'a> FormFields<'a> {
    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(given, _)| *given == name).map(|(_, value)| *value)
    }

    fn required(&self, name: &str, written: &str) -> Result<&'a str, AuthError> {
        self.get(name).ok_or_else(|| {
            let message = format!(
                "Bucket POST must contain a field named '{written}'.  If it is specified, please check the order of \
                 the fields."
            );
            AuthError::new(ErrorCode::InvalidArgument, message)
                .with("ArgumentName", written)
                .with("ArgumentValue", "")
        })
    }
}

/// Fields that say a form is signed; one is enough, so that a form that lost the others is refused, not anonymous.
const SIGNED_BY: [&str; 5] =
    ["policy", "x-amz-signature", "x-amz-credential", "x-amz-algorithm", "x-amz-security-token"];

impl Verifier {
    /// Finds out who signed a POST form, and holds the form to its policy. A form without any authentication field is
    /// anonymous. The length of the file is checked afterwards, with [`AuthenticatedForm::check_length`].
    ///
    /// # Errors
    /// `InvalidArgument` when a field is missing, `AuthorizationQueryParametersError` when one is malformed,
    /// `InvalidPolicyDocument` when the policy is, `InvalidAccessKeyId`, `SignatureDoesNotMatch`, and `AccessDenied`
    /// when the policy has expired or does not allow the form.
    pub fn authenticate_form(
        &self,
        form: &FormFields<'_>,
        keys: &dyn Keys,
        now: Timestamp,
    ) -> Result<AuthenticatedForm, AuthError> {
        form.required("key", "key")?;
        let version2 = ["awsaccesskeyid", "signature"].iter().any(|name| form.get(name).is_some());
        if version2 && form.get("x-amz-signature").is_none() {
            return Err(claim::unsupported());
        }
        if SIGNED_BY.iter().all(|name| form.get(name).is_none()) {
            return Ok(AuthenticatedForm { identity: Identity::Anonymous, length: None });
        }
        let policy = form.required("policy", "policy")?;
        let identity = self.check_form_signature(form, policy, keys)?;
        let document = BASE64.decode(policy.trim()).map_err(|_| {
            AuthError::new(ErrorCode::InvalidPolicyDocument, "Invalid Policy: Invalid Base64.")
        })?;
        let length = FormPolicy::parse(&document)?.check(form, now)?;
        Ok(AuthenticatedForm { identity, length })
    }

    fn check_form_signature(
        &self,
        form: &FormFields<'_>,
        policy: &str,
        keys: &dyn Keys,
    ) -> Result<Identity, AuthError> {
        let algorithm = form.required("x-amz-algorithm", "X-Amz-Algorithm")?;
        let credential = form.required("x-amz-credential", "X-Amz-Credential")?;
        let day = form.required("x-amz-date", "X-Amz-Date")?;
        let signature = form.required("x-amz-signature", "X-Amz-Signature")?;
        if algorithm != canonical::ALGORITHM {
            return Err(claim::unsupported());
        }
        let credential = Credential::parse(credential, Way::Form, self.settings())?;
        let time = Time::parse_presigned(day)?;
        credential.check_day(&time.text, Way::Form)?;
        let key = verifier::find(keys, &credential)?;
        refusal::no_tokens(form.get("x-amz-security-token").is_some_and(|token| !token.is_empty()))?;
        let expected = self.signing_key(&key, &credential).sign(policy.as_bytes());
        if expected.ct_eq(signature.as_bytes()).into() {
            return Ok(key.identity);
        }
        Err(AuthError::of(ErrorCode::SignatureDoesNotMatch)
            .with("AWSAccessKeyId", credential.access_key)
            .with("StringToSign", policy)
            .with("SignatureProvided", signature))
    }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
