//! Tokens: made of chance, kept as hashes.
//!
//! A token is 32 random bytes, which nobody guesses; so a fast hash keeps it as well as a slow one
//! would, and costs a request nothing. That is why there are no passwords here: those take a slow
//! hash, at each request.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// What the hash of a token is made for; the same bytes elsewhere have another hash.
const CONTEXT: &str = "tower-spearmint 2026 token of an MLflow server";
/// Fewer characters may be guessed.
const MIN_LENGTH: usize = 16;
const MAX_NAME: usize = 64;
/// What stands before a hash in a file.
const HASH: &str = "blake3:";

/// What whoever has a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Calls that change nothing.
    ReadOnly,
    /// All calls.
    ReadWrite,
}

/// The tokens that a server knows, as hashes; see [`MlflowServer::tokens`](super::super::MlflowServer::tokens).
///
/// In a file each has a line: a name, `read-only` or `read-write`, and the hash. What follows a
/// `#` is a comment. [`Tokens::line`] writes one.
///
/// ```
/// use tower_spearmint::server::{Access, Tokens};
///
/// let token = Tokens::generate()?;
/// let tokens = Tokens::parse(&Tokens::line("notebook", Access::ReadOnly, &token)?)?;
/// assert_eq!(format!("{tokens:?}"), "{\"notebook\": ReadOnly}");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Tokens(Vec<Entry>);

#[derive(Clone)]
struct Entry {
    name: String,
    access: Access,
    hash: blake3::Hash,
}

/// Why a token, or a file of them, cannot be used. No error quotes what may be a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is none of a token.
    #[error(
        "line {line}: it is not NAME, read-only or read-write, and blake3:HASH; `spearmint ui token new` \
         writes such lines"
    )]
    Line {
        /// Which, from 1.
        line: usize,
    },
    /// Two tokens have one name.
    #[error("line {line}: there is a token named `{name}` already; each has a name of its own")]
    Twice {
        /// Which line, from 1.
        line: usize,
        /// The name.
        name: String,
    },
    /// A name that does not fit into a line.
    #[error("a token's name is 1 to {MAX_NAME} letters, digits, `.`, `_`, `-` or `@`")]
    Name,
    /// It may be guessed.
    #[error("a token has at least {MIN_LENGTH} characters; `spearmint ui token new` makes one")]
    TooShort,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Chance(String),
}

impl Tokens {
    /// None: whoever reaches the server may use it.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and one more. A token of one's own has at least 16 characters.
    ///
    /// # Errors
    ///
    /// When the token is too short, or the name is none.
    pub fn and(mut self, name: &str, access: Access, token: &str) -> Result<Self, TokenError> {
        let (name, hash) = (named(name)?, hashed(token)?);
        self.0.push(Entry { name, access, hash });
        Ok(self)
    }

    /// Those of the text of a file.
    ///
    /// # Errors
    ///
    /// When a line is none of a token, or two have one name.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let mut tokens = Self::new();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.split('#').next().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let entry = Entry::parse(text).ok_or(TokenError::Line { line })?;
            if tokens.0.iter().any(|other| other.name == entry.name) {
                return Err(TokenError::Twice { line, name: entry.name });
            }
            tokens.0.push(entry);
        }
        Ok(tokens)
    }

    /// Those of a file. Blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be read; and as [`Tokens::parse`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TokenError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| TokenError::File { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// The line of a token in a file; the token itself is not in it.
    ///
    /// # Errors
    ///
    /// As [`Tokens::and`].
    pub fn line(name: &str, access: Access, token: &str) -> Result<String, TokenError> {
        let access = match access {
            Access::ReadOnly => "read-only",
            Access::ReadWrite => "read-write",
        };
        Ok(format!("{} {access} {HASH}{}", named(name)?, hashed(token)?.to_hex()))
    }

    /// A new token: 32 bytes of the system's chance, as 43 characters.
    ///
    /// # Errors
    ///
    /// When the system gives none.
    pub fn generate() -> Result<String, TokenError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| TokenError::Chance(error.to_string()))?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What whoever sent this may do. Hashes are compared in constant time.
    pub(in crate::server) fn access(&self, token: &[u8]) -> Option<Access> {
        let hash = hash(token);
        self.0.iter().find(|entry| entry.hash == hash).map(|entry| entry.access)
    }
}

/// Names only.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|entry| (&entry.name, entry.access))).finish()
    }
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let name = named(words.next()?).ok()?;
        let access = match words.next()? {
            "read-only" => Access::ReadOnly,
            "read-write" => Access::ReadWrite,
            _ => return None,
        };
        let hash = blake3::Hash::from_hex(words.next()?.strip_prefix(HASH)?).ok()?;
        words.next().is_none().then_some(Self { name, access, hash })
    }
}

fn hash(token: &[u8]) -> blake3::Hash {
    blake3::Hasher::new_derive_key(CONTEXT).update(token).finalize()
}

fn hashed(token: &str) -> Result<blake3::Hash, TokenError> {
    if token.chars().count() < MIN_LENGTH {
        return Err(TokenError::TooShort);
    }
    Ok(hash(token.as_bytes()))
}

fn named(name: &str) -> Result<String, TokenError> {
    let fits = |c: char| c.is_alphanumeric() || "._-@".contains(c);
    if name.is_empty() || name.chars().count() > MAX_NAME || !name.chars().all(fits) {
        return Err(TokenError::Name);
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_tokens_knows_each_by_its_secret_only() {
        let (ann, ci) = (Tokens::generate().unwrap(), Tokens::generate().unwrap());
        let lines = [
            "# people".to_owned(),
            Tokens::line("ann", Access::ReadWrite, &ann).unwrap() + "  # until May",
            String::new(),
            Tokens::line("ci", Access::ReadOnly, &ci).unwrap(),
        ];
        let text = lines.join("\n");
        assert!(!text.contains(&ann) && !text.contains(&ci));
        let tokens = Tokens::parse(&text).unwrap();
        assert_eq!(tokens.access(ann.as_bytes()), Some(Access::ReadWrite));
        assert_eq!(tokens.access(ci.as_bytes()), Some(Access::ReadOnly));
        for other in ["", "ann", &ann[1..]] {
            assert_eq!(tokens.access(other.as_bytes()), None);
        }
    }

    #[test]
    fn two_tokens_are_never_the_same() {
        let (one, other) = (Tokens::generate().unwrap(), Tokens::generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_without_what_may_be_a_secret() {
        let good = Tokens::line("ann", Access::ReadOnly, "sixteen-or-more-characters").unwrap();
        for wrong in [
            "sixteen-or-more-characters".to_owned(),
            "ann read-only sixteen-or-more-characters".to_owned(),
            good.replace("read-only", "writes"),
            format!("{good} more"),
            good[..good.len() - 1].to_owned(),
        ] {
            let error = Tokens::parse(&format!("# first\n{wrong}")).unwrap_err().to_string();
            assert!(error.starts_with("line 2: it is not NAME"), "{error}");
            assert!(!error.contains("sixteen"), "{error}");
        }
        let error = Tokens::parse(&format!("{good}\n{good}")).unwrap_err().to_string();
        assert!(error.starts_with("line 2: there is a token named `ann` already"), "{error}");
    }

    #[test]
    fn a_token_that_may_be_guessed_is_refused() {
        let short = Tokens::new().and("ann", Access::ReadOnly, "fifteen letters").unwrap_err();
        assert!(matches!(short, TokenError::TooShort));
        let name = Tokens::new().and("ann b", Access::ReadOnly, "sixteen  letters").unwrap_err();
        assert!(matches!(name, TokenError::Name));
    }
}
