//! How the branches of sick shadows may end.

use crate::{
    sick::Sick,
    visit::{
        Protocol::{self, Http2},
        Work,
    },
};

const SUCCESS: &[&str] = &["success"];
const TIMEOUT: &[&str] = &["failed/timeout"];
const RESET: &[&str] = &["failed/reset"];

impl Sick {
    /// More than one where the system decides who comes first.
    pub const fn ends(self, work: Work, protocol: Protocol) -> &'static [&'static str] {
        match work {
            Work::Aborted => self.ends_when_aborted(),
            Work::Load => self.ends_under_load(),
            _ => self.ends_alone(protocol),
        }
    }

    const fn ends_alone(self, protocol: Protocol) -> &'static [&'static str] {
        match self {
            Self::Well | Self::Slow | Self::ReadsLate => SUCCESS,
            Self::Hangs | Self::NeverReads | Self::NeverConnects | Self::SendsOneByteASecond => {
                TIMEOUT
            }
            // The reset may come before the connection is seen to be there.
            Self::ResetsAtOnce => &["failed/connect", "failed/reset"],
            Self::ResetsAfterTheHead | Self::HalfCloses => RESET,
            Self::Refuses => &["failed/connect"],
            Self::Answers500 => &["failed/status"],
            // The connection may be gone again while a request is handed to it.
            Self::GreetsWithGarbage => &["failed/protocol", "failed/reset"],
            Self::AnswersGarbage if matches!(protocol, Http2) => {
                &["failed/protocol", "failed/reset"]
            }
            Self::AnswersGarbage => &["failed/protocol"],
            Self::Answers100Megabytes => &["failed/oversized"],
            // The reset of a stream overtakes what came before it.
            Self::ClosesMidBody if matches!(protocol, Http2) => {
                &["failed/truncated", "failed/reset"]
            }
            Self::ClosesMidBody => &["failed/truncated"],
        }
    }

    /// It was over before the caller left, or not.
    const fn ends_when_aborted(self) -> &'static [&'static str] {
        match self {
            Self::ResetsAtOnce => &["failed/connect", "failed/reset", "failed/incomplete"],
            Self::ResetsAfterTheHead | Self::HalfCloses => &["failed/reset", "failed/incomplete"],
            Self::Refuses => &["failed/connect", "failed/incomplete"],
            Self::AnswersGarbage | Self::GreetsWithGarbage => {
                &["failed/protocol", "failed/reset", "failed/incomplete"]
            }
            _ => &["failed/incomplete"],
        }
    }

    /// So many may wait at once.
    const fn ends_under_load(self) -> &'static [&'static str] {
        match self {
            Self::Well | Self::Slow | Self::ReadsLate => &["success", "skipped/max_in_flight"],
            Self::Hangs | Self::NeverReads | Self::NeverConnects | Self::SendsOneByteASecond => {
                &["failed/timeout", "skipped/max_in_flight"]
            }
            Self::ResetsAtOnce | Self::ResetsAfterTheHead | Self::HalfCloses => {
                &["failed/reset", "failed/connect", "skipped/max_in_flight"]
            }
            Self::Refuses => &["failed/connect", "skipped/max_in_flight"],
            Self::Answers500 => &["failed/status", "skipped/max_in_flight"],
            Self::GreetsWithGarbage | Self::AnswersGarbage => {
                &["failed/protocol", "failed/reset", "skipped/max_in_flight"]
            }
            // It cannot send as much as all of them would read in time.
            Self::Answers100Megabytes => {
                &["failed/oversized", "failed/timeout", "skipped/max_in_flight"]
            }
            Self::ClosesMidBody => &["failed/truncated", "failed/reset", "skipped/max_in_flight"],
        }
    }
}
