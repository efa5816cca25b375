//! Contents that no path names any more, and what is left of killed uploads, are removed.

use super::{Artifacts, tree};
use crate::{
    server::readers::Readers,
    store::{ObjectId, StoreError},
};

/// Contents that are asked for at once.
const TOGETHER: usize = 1_000;

impl Artifacts {
    /// Looks at everything once, for what another process left behind; then at what lost its last
    /// path, whenever something did.
    pub(in crate::server) async fn collect(self, readers: Readers) {
        self.after_others(&readers).await;
        loop {
            self.remove_freed().await;
            self.freed.notified().await;
        }
    }

    /// 256 directories; a store of a million artifacts has four thousand in each.
    async fn after_others(&self, readers: &Readers) {
        let objects = self.objects.clone();
        match super::blocking(move || objects.remove_dead_uploads()).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed uploads that were broken off"),
            Err(error) => tracing::warn!(%error, "could not look for broken uploads"),
        }
        for shard in 0..=u8::MAX {
            let objects = self.objects.clone();
            let found = match super::blocking(move || objects.in_shard(shard)).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, shard, "could not look for unused artifacts");
                    continue;
                }
            };
            for found in found.chunks(TOGETHER) {
                self.remove_unused(readers, found.to_vec()).await;
            }
        }
    }

    /// Looks without holding up those who write, and then again, to be sure, while it does.
    async fn remove_unused(&self, readers: &Readers, found: Vec<ObjectId>) {
        let looking = readers.run(move |context| {
            let mut unused = Vec::new();
            for object in found {
                if tree::is_unused(context.connection, object)? {
                    unused.push(object);
                }
            }
            Ok(unused)
        });
        // (An error was logged where it was made.)
        let Ok(unused) = looking.await else { return };
        if unused.is_empty() {
            return;
        }
        let (store, objects) = (self.store.clone(), self.objects.clone());
        let removing =
            super::blocking(move || Ok(tree::remove_unused(&store, &objects, &unused))).await;
        if let Ok(Err(error)) = removing {
            not_removed(&error);
        }
    }

    async fn remove_freed(&self) {
        loop {
            let (store, objects) = (self.store.clone(), self.objects.clone());
            match super::blocking(move || Ok(tree::remove_freed(&store, &objects))).await {
                Ok(Ok(0)) | Err(_) => return,
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return not_removed(&error),
            }
        }
    }
}

fn not_removed(error: &StoreError) {
    if !matches!(error, StoreError::ReadOnly { .. }) {
        tracing::warn!(%error, "unused artifacts were not removed; the next start tries again");
    }
}
