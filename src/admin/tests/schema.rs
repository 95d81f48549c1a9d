//! Holds documents to the schemas of `docs/openapi.json`: the part of JSON Schema that it uses, and not a word more. A
//! keyword that is not known here is a panic, so that no rule goes unchecked in silence.

use serde_json::Value;

/// The description of the API.
pub struct Description(Value);

/// A method on a path, as described.
pub struct Described<'a> {
    pub method: String,
    pub path: &'a str,
    pub operation: &'a Value,
}

/// Keywords that check nothing.
const SAID: [&str; 4] = ["description", "examples", "default", "format"];

impl Description {
    pub fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    /// Everything that is described.
    pub fn operations(&self) -> Vec<Described<'_>> {
        let paths = self.0["paths"].as_object().unwrap();
        let mut all = Vec::new();
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                if method != "parameters" {
                    all.push(Described { method: method.to_uppercase(), path, operation });
                }
            }
        }
        all
    }

    /// What is wrong with an answer to a request, or nothing. The path is as sent, without its query.
    pub fn judge(
        &self,
        (method, path): (&str, &str),
        (status, kind, body): (u16, &str, &str),
    ) -> Vec<String> {
        let method = if method == "HEAD" { "GET" } else { method };
        let operations = self.operations();
        let found =
            operations.iter().find(|described| described.method == method && fits(described.path, path));
        // What is refused before there is an operation is refused like everything else.
        let schema = match found {
            Some(described) => self.answer(described.operation, status),
            None => Some(&self.0["components"]["responses"]["Refusal"]),
        };
        let Some(answer) = schema.map(|schema| self.resolve(schema)) else {
            return vec![format!("{method} {path}: the status {status} is not described")];
        };
        let Some(content) = answer.get("content") else {
            return if body.is_empty() {
                Vec::new()
            } else {
                vec![format!("{path}: a body that is not described")]
            };
        };
        let kind = kind.split(';').next().unwrap();
        let Some(schema) = content.get(kind).map(|media| &media["schema"]) else {
            return vec![format!("{method} {path}: {kind:?} is not described")];
        };
        let document = match kind {
            "application/json" => {
                serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
            }
            _ => Value::String(body.to_owned()),
        };
        self.check(schema, &document, path)
    }

    fn answer<'a>(&'a self, operation: &'a Value, status: u16) -> Option<&'a Value> {
        let answers = &operation["responses"];
        // Only a refusal has the form of the others.
        answers.get(status.to_string()).or_else(|| answers.get("default").filter(|_| status >= 400))
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let found = self.0.pointer(reference.strip_prefix('#').unwrap());
                self.resolve(found.unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => value,
        }
    }

    /// Everything in which a document differs from a schema.
    pub fn check(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let schema = self.resolve(schema);
        let mut wrong = Vec::new();
        for (keyword, rule) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "type" => {
                    wrong.extend((!has_type(rule, value)).then(|| format!("{at}: {value} is no {rule}")))
                }
                "enum" => {
                    let listed = rule.as_array().unwrap().contains(value);
                    wrong.extend((!listed).then(|| format!("{at}: {value} is not one of {rule}")));
                }
                "minimum" => {
                    let low = value.as_f64().is_some_and(|number| number < rule.as_f64().unwrap());
                    wrong.extend(low.then(|| format!("{at}: {value} is less than {rule}")));
                }
                "pattern" => {
                    assert_eq!(rule, "^[0-9a-f]{32}$", "the one pattern that is known here");
                    let text = value.as_str().unwrap_or_default();
                    let fits =
                        text.len() == 32 && text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
                    wrong.extend((!fits).then(|| format!("{at}: {value} does not fit {rule}")));
                }
                "anyOf" => {
                    let schemas = rule.as_array().unwrap();
                    let fits = schemas.iter().any(|schema| self.check(schema, value, at).is_empty());
                    wrong.extend((!fits).then(|| format!("{at}: {value} is none of {rule}")));
                }
                "required" => {
                    let names = rule.as_array().unwrap().iter().filter_map(Value::as_str);
                    wrong.extend(
                        names
                            .filter(|name| value.get(*name).is_none())
                            .map(|name| format!("{at}: no {name}")),
                    );
                }
                "properties" => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        if let Some(schema) = rule.get(name) {
                            wrong.extend(self.check(schema, value, &format!("{at}.{name}")));
                        }
                    }
                }
                "additionalProperties" => {
                    assert_eq!(rule, false, "{at}");
                    let known = &schema["properties"];
                    let names = value.as_object().into_iter().flatten().map(|(name, _)| name);
                    wrong.extend(
                        names
                            .filter(|name| known.get(name.as_str()).is_none())
                            .map(|name| format!("{at}: {name} is not described")),
                    );
                }
                "items" => {
                    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                        wrong.extend(self.check(rule, value, &format!("{at}[{index}]")));
                    }
                }
                keyword => assert!(SAID.contains(&keyword), "{at}: the keyword {keyword} is not known here"),
            }
        }
        wrong
    }
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        name => panic!("the type {name} is not known here"),
    };
    match rule {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}

/// Whether a path has the form of a template; a text in braces stands for any segment.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let same = |(form, text): (&&str, &&str)| form == text || (form.starts_with('{') && !text.is_empty());
    template.len() == path.len() && template.iter().zip(&path).all(same)
}
