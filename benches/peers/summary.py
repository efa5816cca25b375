"""The tables of a run: medians over the rounds, and of the ratios within a round."""
import json, pathlib, statistics, sys

what, run = sys.argv[1], pathlib.Path(sys.argv[2])
SHARE = 0.99
FIELDS = ["requests", "seconds", "p50", "p99", "p999", "max", "errors"]
rows = []
for line in (run / "results.tsv").read_text().splitlines():
    kind, key, who, *rest = line.split("\t")
    row = dict(zip(FIELDS, map(float, rest)), kind=kind, key=key, who=who, rest=[int(n) for n in rest[len(FIELDS):]])
    row["rate"] = row["requests"] / row["seconds"]
    rows.append(row)


def ms(microseconds):
    return f"{microseconds / 1000:.2f}"


def find(kind, key, who):
    return next((r for r in rows if (r["kind"], r["key"], r["who"]) == (kind, key, who)), None)


def total(stats, name):
    """A counter: of the shadows together, or of the recorder."""
    if name in stats["recorder"]:
        return stats["recorder"][name]
    return sum(shadow[name] for shadow in stats["shadows"])


def fair():
    void = False
    rounds = sorted({r["key"] for r in rows if r["kind"] == "mirror"})
    for kind, title in (("mirror", "A shadow on every request"), ("plain", "Plain routing")):
        print(f"\n{title}: medians of {len(rounds)} rounds\n")
        print("| | requests/s | p50 ms | p99 ms | p99.9 ms | of nginx | of Envoy |\n|---|---|---|---|---|---|---|")
        for who in ("spearmint", "nginx", "envoy"):
            own = [find(kind, key, who) for key in rounds]
            median = lambda field: statistics.median(r[field] for r in own)
            ratios = [
                f"{statistics.median(a['rate'] / find(kind, a['key'], peer)['rate'] for a in own):.2f}"
                for peer in ("nginx", "envoy")
            ]
            print(f"| {who} | {median('rate'):,.0f} | {ms(median('p50'))} | {ms(median('p99'))} | {ms(median('p999'))} | {' | '.join(ratios)} |")
        print("\nEach round:")
        for key in rounds:
            line = ", ".join(
                f"{who} {r['rate']:,.0f}/s p50 {ms(r['p50'])} p99 {ms(r['p99'])} p99.9 {ms(r['p999'])}"
                for who in ("nginx", "envoy", "spearmint")
                if (r := find(kind, key, who))
            )
            print(f"  {key}: {line}")
    print()
    for r in rows:
        if r["kind"] in ("mirror", "plain") and r["errors"]:
            print(f"VOID: {r['who']}, {r['kind']}, round {r['key']}: {r['errors']:.0f} requests failed")
            void = True
        # wrk does not count what was under way at its end.
        share = r["rest"][0] / r["requests"] if r["kind"] == "mirror" else 1
        if r["kind"] == "mirror" and share < SHARE:
            print(f"VOID: {r['who']}, round {r['key']}: the shadow got {share:.2%} of the requests")
            void = True
        elif r["kind"] == "mirror":
            print(f"{r['who']}, round {r['key']}: the shadow got {r['rest'][0]:,} requests ({share:.1%} of those counted)")
    for key in rounds:
        stats = json.loads((run / f"stats-{key}.json").read_text())
        dispatched, skipped = total(stats, "dispatched"), total(stats, "skipped")
        written, accepted = total(stats, "written"), total(stats, "accepted")
        dropped, lost, compared = total(stats, "dropped"), total(stats, "lost"), total(stats, "compared")
        kept = stats["recorder"]["comparisons"]["written"]
        requests = dispatched + skipped
        print(
            f"spearmint, round {key}: {requests:,} requests, {dispatched:,} shadows dispatched, {skipped:,} skipped, "
            f"{written:,} branches recorded, {dropped:,} dropped, {lost:,} lost, "
            f"{compared:,} compared, {kept:,} comparisons recorded"
        )
        shares = {
            "dispatched": dispatched / requests,
            "recorded": written / (2 * requests),
            "compared": min(compared, kept) / requests,
        }
        for name, share in shares.items():
            if share < SHARE:
                print(f"VOID: spearmint, round {key}: only {share:.2%} {name}")
                void = True
    return void


def sick():
    names = {"off": "no shadow", "healthy": "healthy", "slow": "slow (2 s)", "hung": "hung", "down": "down"}
    print("\nWhat a shadow costs the primary\n")
    print("| shadow | proxy | requests/s | p50 ms | p99 ms | p99.9 ms | failed | RSS MiB | shadows skipped |\n|---|---|---|---|---|---|---|---|---|")
    for state, name in names.items():
        for who in ("spearmint", "nginx", "envoy"):
            if r := find("sick", state, who):
                print(f"| {name} | {who} | {r['rate']:,.0f} | {ms(r['p50'])} | {ms(r['p99'])} | {ms(r['p999'])} | {r['errors']:.0f} | {r['rest'][1] / 1024:.0f} | {skipped(state, who)} |")
    crowd = find("sick", "crowd", "spearmint")
    if not crowd:
        return False
    most = crowd["rest"][1] / 1024
    print(
        f"\n1,000 connections of GETs and a hung shadow: {crowd['rate']:,.0f} requests/s, p99 {ms(crowd['p99'])} ms, "
        f"{crowd['errors']:.0f} failed, RSS at most {most:.1f} MiB (aim: 64), {skipped('crowd', 'spearmint')} of the shadows skipped"
    )
    return False


def skipped(state, who):
    if who != "spearmint":
        return "–"
    stats = json.loads((run / f"sick-{who}-{state}.json").read_text())
    if not stats["shadows"]:
        return "–"
    skipped, dispatched = total(stats, "skipped"), total(stats, "dispatched")
    return f"{skipped / max(1, skipped + dispatched):.1%}"


sys.exit({"fair": fair, "sick": sick}[what]())
