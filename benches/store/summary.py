"""Tables of what run.sh measured. Ends with 1 when a branch was dropped or a measurement is missing."""

import statistics
import sys
from collections import defaultdict
from pathlib import Path

SERVERS = ["spearmint", "fasttrackml", "mlflow"]
void = False


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def rest(lines):
    """Of each server the kind of connections with which it is faster."""
    global void
    measured = defaultdict(list)
    for who, kind, *fields in lines:
        if kind == "runs":
            connections, clients, _, _, rate, median, p99, failed = fields
            if int(failed):
                print(f"{who}, {clients} clients: of {failed} runs a call failed\n")
                void |= who == "spearmint"
            measured[int(clients), who, connections].append(
                (float(rate), float(median), float(p99))
            )
    if not measured:
        return
    for clients in sorted({clients for clients, _, _ in measured}):
        best = {}
        for who in SERVERS:
            kinds = {c: m for (n, w, c), m in measured.items() if (n, w) == (clients, who)}
            if kinds:
                rate = lambda kind: statistics.median(run[0] for run in kinds[kind])
                kind = max(kinds, key=rate)
                best[who] = (kind, rate(kind), kinds)
        rows = []
        for who, (kind, rate, kinds) in best.items():
            other = ", ".join(
                f"{statistics.median(run[0] for run in runs):,.0f} {name}"
                for name, runs in kinds.items()
                if name != kind
            )
            ratios = [
                f"{rate / best[peer][1]:.1f}" if peer in best else "" for peer in SERVERS[1:]
            ]
            median, p99 = (statistics.median(run[at] for run in kinds[kind]) for at in (1, 2))
            rows.append([who, f"{rate:,.0f}", kind, other, f"{median:.2f}", f"{p99:.2f}", *ratios])
        word = "client" if clients == 1 else "clients"
        table(
            [f"{clients} {word}", "runs/s", "connections", "the other way", "p50 ms", "p99 ms",
             "of FastTrackML", "of MLflow"],
            rows,
        )


def recorder(lines):
    global void
    found = {fields[0]: fields[1] for who, kind, *fields in lines if kind == "sustained"}
    if found:
        table(["from a recorder", ""], found.items())
        sent, kept = found.get("branches sent"), found.get("kept")
        void |= sent != kept or found.get("dropped") != "0" or found.get("lost") != "0"


def many(lines):
    listed = defaultdict(list)
    rows = []
    for who, kind, *fields in lines:
        if kind == "filled":
            rows.append([f"{int(fields[0]):,} branches written", f"{float(fields[1]):.0f} s", ""])
        elif kind == "opened":
            rows.append([f"opening it {fields[0]}", f"{fields[1]} ms", f"{fields[2]} ms"])
        elif kind == "listed":
            listed[fields[0]].append(1000 * (float(fields[2]) - float(fields[1])))
        elif kind == "searched":
            what = f"`{fields[0]}`: {fields[1]} runs" if fields[0] else f"no filter: {fields[1]} runs"
            rows.append([what, f"{fields[2]} ms", f"{fields[3]} ms"])
    for what, took in listed.items():
        middle, most = statistics.median(took), max(took)
        rows.append([f"`spearmint {what}`", f"{middle:.1f} ms", f"{most:.1f} ms"])
    if rows:
        table(["with many branches", "median", "longest of 9"], rows)


lines = [
    line.rstrip("\n").split("\t") for line in (Path(sys.argv[1]) / "results.tsv").open()
]
rest(lines)
recorder(lines)
many(lines)
sys.exit(1 if void else 0)
