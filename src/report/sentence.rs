//! What is found, in words.

use super::{
    ArmLosses, Coverage, Finding, Measure, MetricRole, SampleRatio, Standing, Unit, arms::Arm,
};
use crate::{branch::SkipReason, stats::Interval};
use std::fmt::Write as _;

pub(super) const NO_SUCCESS: &str = "no guardrail is broken, and no metric says what would be better: \
     name one with the role `success`";
pub(super) const NOTHING_DECIDES: &str = "no metric is a guardrail or a success";

/// So many of the primary's second answers must equal the first, or agreement tells nothing.
pub(super) const TELLING: f64 = 0.5;

pub(super) fn broken(ratio: &SampleRatio) -> String {
    let mut text = format!("the {} are not split as they should be:", ratio.counted);
    for (at, arm) in ratio.arms.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma} {} has {} of {}, and {} were to be expected",
            arm.config_id.short(),
            arm.count,
            ratio.total,
            (arm.share * ratio.total as f64).round()
        );
    }
    text
}

/// Of evidence that was there once.
pub(super) fn was_broken(look: u64) -> String {
    format!(
        "at look {look} the traffic was not split as it should have been; to look at what came after it was \
         mended, say since when"
    )
}

/// Of an arm that too much was lost of.
pub(super) fn lost(lost: &ArmLosses) -> String {
    let reasons: Vec<_> = lost.reasons.iter().map(|(why, n)| format!("{why} {n}")).collect();
    format!(
        "{} of the branches of {} were not recorded ({}): of more than 1% nobody knows what they would have shown",
        shown(&Measure::ErrorRate, lost.share),
        lost.config_id.short(),
        reasons.join(", ")
    )
}

/// Of a shadow whose pairs are not those of its requests.
pub(super) fn uncovered(arm: &Arm, coverage: &Coverage) -> String {
    let name = arm.config_id.short();
    let Coverage { without_primary, never_ended, ended, .. } = coverage;
    if without_primary >= never_ended {
        return format!(
            "{without_primary} of the {ended} shadows of {name} that ended have no primary that did: some of the \
             primaries were not recorded"
        );
    }
    format!(
        "{never_ended} shadows of {name} were given up before they ended, beside {ended} that did: those that are left \
         are the fast ones"
    )
}

/// Of a shadow that was skipped too often because of itself.
pub(super) fn skipped_itself(arm: &Arm, share: f64, skips: &[(&SkipReason, &u64)]) -> String {
    let reasons: Vec<_> = skips.iter().map(|(why, n)| format!("{why} {n}")).collect();
    format!(
        "{} of the shadows of {} were skipped because of itself ({}): nobody knows how slow they would have been, or how \
         many would have failed, so that nothing speaks for it; mend it, raise `max_in_flight` or lower `sample`, and \
         report `--since` then",
        shown(&Measure::ErrorRate, share),
        arm.config_id.short(),
        reasons.join(", ")
    )
}

/// Of an arm that all requests go to, too many of which were cancelled or skipped.
pub(super) fn unfinished(arm: &Arm, share: f64) -> String {
    format!(
        "{} of the branches of {} were cancelled or skipped, so that those that ended are the fast ones; let all of them \
         end (`combine: json`), or run it as a shadow",
        shown(&Measure::ErrorRate, share),
        arm.config_id.short()
    )
}

/// Of a number that is said of one arm more often than of the other.
pub(super) fn unsaid(arms: [(&Arm, f64); 2]) -> String {
    let [one, other] = arms.map(|(arm, share)| {
        format!(
            "{} of the requests of {}",
            shown(&Measure::ErrorRate, share),
            arm.config_id.short()
        )
    });
    format!(
        "it was said of {one} that ended, and of {other}: those that are left are not the same kind of requests; say it of \
         those that fail, too"
    )
}

/// Of a metric that is not certain yet.
pub(super) fn waiting(finding: &Finding) -> String {
    let name = &finding.metric.measure;
    if let Some(why) = &finding.withheld {
        return format!("{name} is held open: {why}");
    }
    if finding.baseline_count == 0 || finding.candidate_count == 0 {
        let sides = finding.baseline_count + finding.candidate_count;
        if sides == 0 && matches!(name, Measure::Mean(_)) {
            return format!("{name} was never measured: nobody said it of any branch or unit");
        }
        return format!("{name} was not measured on both sides");
    }
    if *name == Measure::Agreement && finding.baseline.is_some_and(|agrees| agrees < TELLING) {
        return "agreement tells nothing: the control's answers differ, too; let the comparison \
                ignore what always does (`spearmint diff` shows it)"
            .to_owned();
    }
    if finding.is_noise_or_worse() {
        return "answers differ, and without a control nobody knows whether the primary's own would, too: \
                `shadow: { control: true }` adds one; if every difference counts, name `agreement` under \
                `metrics`"
            .to_owned();
    }
    let what = if finding.by_unit { "units" } else { "requests" };
    match finding.needed {
        Some(more) => {
            format!(
                "{name} is open: about {} more {what} of the candidate at this rate",
                about(more)
            )
        }
        None if !finding.interval.width().is_finite() => {
            format!("{name} is open: so few say nothing of it yet")
        }
        None => format!("{name} is open: it lies too near to its bound to say when"),
    }
}

pub(super) fn nothing_to_gain(findings: &[Finding]) -> String {
    let short = findings.iter().filter(|f| f.metric.role == MetricRole::Success);
    let names: Vec<_> = short.map(|f| f.metric.measure.as_str()).collect();
    format!("{} can be better by less than what is worth it at most", names.join(" and "))
}

pub(super) fn all_within(findings: &[Finding]) -> String {
    let guardrails = findings.iter().filter(|f| f.metric.role == MetricRole::Guardrail);
    let names: Vec<_> = guardrails.map(|f| f.metric.measure.as_str()).collect();
    format!("{} within the margins: nothing is worse than allowed", names.join(", "))
}

/// What one metric says, with its interval.
pub(super) fn finding(finding: &Finding) -> String {
    let measure = &finding.metric.measure;
    let (Some(baseline), Some(candidate)) = (finding.baseline, finding.candidate) else {
        return format!("{measure}: not measured on both sides");
    };
    let mut text =
        format!("{measure}: {} after {}", shown(measure, candidate), shown(measure, baseline));
    let unit = measure.unit();
    // (Shares lie between 0 and 1, so that more than 100 points say nothing.)
    let end = |end: f64| if unit == Unit::Points { end.clamp(-1.0, 1.0) } else { end };
    let range = |Interval { low, high }| {
        format!("{} to {}", signed(unit, end(low)), signed(unit, end(high)))
    };
    let (all, this) = (range(finding.intersection), range(finding.interval));
    let _ = write!(text, ", {all}");
    if all != this {
        let _ = write!(text, " (this look: {this})");
    }
    let less = finding.variance_less.map_or(0.0, |less| (less * 100.0).round());
    if less >= 1.0 {
        let _ = write!(text, " ({less}% less variance by what came before)");
    }
    let bound = if finding.standing == Standing::Short {
        finding.metric.mde
    } else {
        finding.metric.margin
    };
    let bound = signed(unit, bound);
    let bound = bound.trim_start_matches('+');
    match (finding.standing, finding.metric.role) {
        (Standing::Better, _) => text.push_str(": better"),
        (Standing::Within, _) => {
            let _ = write!(text, ": no worse than by the {bound} allowed");
        }
        (Standing::Worse, MetricRole::Guardrail) => {
            let _ = write!(text, ": worse than by the {bound} allowed");
        }
        (Standing::Worse, _) => text.push_str(": worse"),
        (Standing::Short, _) => {
            let _ = write!(text, ": better by less than {bound}, if at all");
        }
        (Standing::Open, _) if finding.is_noise_or_worse() => {
            text.push_str(": worse, or noise, which only a control could tell");
        }
        (Standing::Open, _) => text.push_str(": not certain yet"),
        (Standing::Shown, _) => {}
    }
    if let Some(why) = &finding.withheld {
        let _ = write!(text, "; {why}");
    }
    if finding.contradicted_ns.is_some() {
        text.push_str(
            "; this look and those before contradict one another, so that only this one counts",
        );
    }
    text
}

/// A value as people read it.
pub(super) fn shown(measure: &Measure, value: f64) -> String {
    match measure.unit() {
        _ if matches!(measure, Measure::Mean(_)) => number(value),
        Unit::Points => format!("{}%", digits(value * 100.0)),
        Unit::Relative => match value {
            ns if ns < 1e6 => format!("{}µs", digits(ns / 1e3)),
            ns if ns < 1e9 => format!("{}ms", digits(ns / 1e6)),
            ns => format!("{}s", digits(ns / 1e9)),
        },
    }
}

/// A difference: percent of the baseline's value, or points of percent.
pub(super) fn signed(unit: Unit, difference: f64) -> String {
    let sign = if difference < 0.0 { '-' } else { '+' };
    let size = difference.abs() * 100.0;
    let unit = if unit == Unit::Points { "pp" } else { "%" };
    if size.is_finite() { format!("{sign}{}{unit}", digits(size)) } else { format!("{sign}∞") }
}

/// As many digits as tell something.
pub(super) fn digits(value: f64) -> String {
    match value {
        value if value >= 99.95 => format!("{value:.0}"),
        value if value >= 9.995 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The same of a number of any size.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e15 => format!("{value:.2e}"),
        size if size >= 99.95 || size == 0.0 => format!("{value:.0}"),
        size if size >= 1e-9 => {
            // Three digits, from the first that is not 0 on.
            let decimals = (2.0 - size.log10().floor()).clamp(0.0, 12.0);
            format!("{value:.*}", decimals as usize)
        }
        _ => format!("{value:.2e}"),
    }
}

/// Two digits are enough for a guess.
fn about(count: u64) -> u64 {
    let unit = 10_u64.pow(count.max(1).ilog10().saturating_sub(1));
    count.div_ceil(unit) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_any_size_has_three_digits() {
        let numbers = [0.0, 812.4, -5.0, 12.34, 0.000_312_3, 2.5e-12, 1e20].map(number);
        assert_eq!(numbers, ["0", "812", "-5.00", "12.3", "0.000312", "2.50e-12", "1.00e20"]);
    }

    #[test]
    fn a_guess_has_two_digits() {
        let guesses = [0, 7, 99, 101, 12_345].map(about);
        assert_eq!(guesses, [0, 7, 99, 110, 13_000]);
    }

    #[test]
    fn a_number_of_ones_own_has_three_digits_that_tell_something() {
        let shown = [0.031_24, 0.5, 19.94, 123.4, 98_765.4, 0.0, -2.345].map(number);
        assert_eq!(shown, ["0.0312", "0.500", "19.9", "123", "98765", "0", "-2.35"]);
    }
}
