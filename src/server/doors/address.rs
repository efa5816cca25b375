//! Where a server may listen.

use super::Tokens;
use std::{io, net::SocketAddr};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Whoever reaches it could read and change the store.
    #[error(
        "{address} can be reached from other machines, and whoever reaches it could read and change \
         the store: give tokens (`spearmint ui token new --token-file FILE` makes one; or put one \
         into SPEARMINT_UI_TOKEN), or listen on 127.0.0.1"
    )]
    Unguarded {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The listener has no address.
    #[error(transparent)]
    Listener(#[from] io::Error),
}

impl Tokens {
    /// Whether a server with these may listen here.
    ///
    /// # Errors
    ///
    /// When others than this machine could reach it, and there are none.
    pub fn check_address(&self, address: SocketAddr) -> Result<(), ServeError> {
        if self.is_empty() && !address.ip().to_canonical().is_loopback() {
            return Err(ServeError::Unguarded { address });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Access;

    #[test]
    fn only_with_tokens_may_others_than_this_machine_reach_it() {
        let none = Tokens::new();
        let some = Tokens::new().and("ann", Access::ReadOnly, "sixteen characters").unwrap();
        for address in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            none.check_address(address.parse().unwrap()).unwrap();
        }
        for address in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"] {
            let address = address.parse().unwrap();
            let error = none.check_address(address).unwrap_err().to_string();
            assert!(error.contains("--token-file") && error.contains("127.0.0.1"), "{error}");
            some.check_address(address).unwrap();
        }
    }
}
