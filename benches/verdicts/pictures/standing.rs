//! Where an interval lies, and what that is called.

use super::{
    chart::{BLUE, Chart, GREEN, GREY, RED},
    points,
};

pub(super) fn svg() -> String {
    let mut chart = Chart::new(
        "A guardrail with a margin of 1 point: where its interval lies, and what that is called",
        (8.0, 1.0, |x| points(0.01 * (x - 3.0))),
        (0.0, 6.0, 10.0, |_| String::new()),
        "difference to the baseline, in points; worse is to the right",
    );
    chart.mark(3.0, GREY, "no difference");
    chart.mark(4.0, RED, "margin");
    for (at, (low, point, high), colour, words) in [
        (5.0, (0.8, 1.7, 2.6), GREEN, "better: all of it is below 0"),
        (4.0, (2.5, 3.1, 3.8), GREEN, "within: all of it is below the margin"),
        (3.0, (3.2, 3.5, 3.9), GREEN, "within: it is worse, by less than allowed"),
        (2.0, (2.2, 3.4, 4.5), BLUE, "open: the margin is in it; go on"),
        (1.0, (4.2, 4.5, 4.9), RED, "worse: all of it is beyond the margin"),
    ] {
        chart.bar(at, (low, point, high), colour);
        chart.words((5.0, at), colour, words);
    }
    chart.svg()
}
