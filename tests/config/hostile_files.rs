//! Texts of 1 MiB that are made to be expensive.

const MIB: usize = 1 << 20;

/// What each is, how the name of its file ends (`override`: a text of a command line), what it holds.
pub(crate) fn all() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = |(name, text): (&'static str, String), ending| (name, ending, text.into_bytes());
    let mut all: Vec<_> = yaml().into_iter().map(|(name, bytes)| (name, "yaml", bytes)).collect();
    all.extend(references().into_iter().map(|each| text(each, "yaml")));
    all.extend(json().into_iter().map(|each| text(each, "json")));
    all.extend(toml().into_iter().map(|each| text(each, "toml")));
    all.extend(overrides().into_iter().map(|each| text(each, "override")));
    all
}

fn filled(part: &str) -> String {
    part.repeat(MIB / part.len())
}

fn yaml() -> Vec<(&'static str, Vec<u8>)> {
    let bomb = |width: usize, levels: usize| {
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..levels {
            let all = vec![format!("*a{}", level - 1); width].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{all}]\n"));
        }
        text
    };
    let merges = {
        let mut text = "a0: &a0 { x: 1 }\n".to_owned();
        for level in 1..2_000 {
            text.push_str(&format!("a{level}: &a{level} {{ <<: *a{}, k{level}: 1 }}\n", level - 1));
        }
        text
    };
    let wide: String = (0..MIB / 10).map(|at| format!("k{at:06}: 1\n")).collect();
    let deep_keys: String = (0..64).map(|at| format!("{}k:\n", " ".repeat(at))).collect();
    let anchors: String = (0..MIB / 20).map(|at| format!("k{at:06}: &n{at:06} x\n")).collect();
    let big_anchor = format!("a: &a [{}]\nb: [{}]\n", "1, ".repeat(50_000), "*a, ".repeat(100_000));
    let text = |text: String| text.into_bytes();
    vec![
        ("nested lists", text("[".repeat(MIB))),
        ("nested maps", text("{a: ".repeat(MIB / 4))),
        ("nested closed lists", text(format!("{}{}", "[".repeat(MIB / 2), "]".repeat(MIB / 2)))),
        ("nested blocks", text("- ".repeat(MIB / 2))),
        ("nested keys", text(deep_keys)),
        ("alias bomb", text(bomb(9, 12))),
        ("wide alias bomb", text(bomb(2_000, 60))),
        ("one anchor, many aliases", text(big_anchor)),
        ("merge keys", text(merges)),
        ("one scalar", text(format!("a: {}", filled("x")))),
        ("one quoted scalar", text(format!("a: \"{}\"", filled("\\u0041")))),
        ("one open quote", text(format!("a: \"{}", filled("x")))),
        ("one block scalar", text(format!("a: |\n{}", filled("  x\n")))),
        ("one folded scalar", text(format!("a: >\n{}", filled("  x\n\n")))),
        ("one key", text(format!("{}: 1", filled("k")))),
        ("a complex key", text(format!("? [{}]\n: 1", filled("x, ")))),
        ("one number", text(format!("a: {}", filled("9")))),
        ("many keys", text(wide)),
        ("many keys in one line", text(format!("{{{}}}", filled("a: 1, ")))),
        ("many items", text(format!("[{}]", filled("1,")))),
        ("many empty items", text(filled("-\n"))),
        ("many empty maps", text(format!("[{}]", filled("{},")))),
        ("many documents", text(filled("---\n"))),
        ("many anchors", text(anchors)),
        ("tabs", text(filled("\t"))),
        ("tabbed keys", text(filled("\ta: 1\n"))),
        ("carriage returns", text(filled("\r"))),
        ("byte order marks", text(filled("\u{feff}"))),
        ("NUL", vec![0; MIB]),
        ("invalid UTF-8", vec![0xff; MIB]),
        ("comments", text(filled("# c\n"))),
        ("directives", text(filled("%YAML 1.2\n"))),
        ("tags", text(filled("!a "))),
        ("question marks", text(filled("? "))),
        ("colons", text(filled(": "))),
        (
            "unknown keys",
            text(format!("experiment: a\nstrategy: single\nconfigs: [{}]\n", filled("{ a: 1 }, "))),
        ),
        (
            "wrong values",
            text(format!(
                "experiment: a\nstrategy: shadow\nshadow: {{ methods: [{}] }}\n",
                filled("1, ")
            )),
        ),
        ("lines after an error", text(format!("{}]", filled("a1: [b, c]\n")))),
    ]
}

/// An experiment with values of its own.
fn with_vars(vars: &str) -> String {
    let configs = "configs: [{ config_id: a, upstream: 'http://127.0.0.1:9001' }]";
    format!("experiment: a\nstrategy: single\n{configs}\nvars:\n{vars}")
}

fn references() -> Vec<(&'static str, String)> {
    let doubling: String =
        (1..60).map(|at| format!("  k{at}: \"${{vars.k{0}}}${{vars.k{0}}}\"\n", at - 1)).collect();
    let chain: String =
        (0..MIB / 32).map(|at| format!("  k{at:06}: ${{vars.k{:06}}}\n", at + 1)).collect();
    let list = format!("  list: [{}]\n", "1, ".repeat(1_000));
    let text = format!("  text: {}\n", "x".repeat(1_000));
    let all = |item: &str| format!("  all:\n{}", filled(&format!("    - {item}\n")));
    let configs = |config: &str| {
        let configs = filled(&format!("  - {{ upstream: 'http://h', {config} }}\n"));
        format!("experiment: a\nstrategy: single\nconfigs:\n{configs}")
    };
    vec![
        ("references that double", with_vars(&format!("  k0: {}\n{doubling}", "x".repeat(1_000)))),
        ("a chain of references", with_vars(&chain)),
        ("references to a text", with_vars(&(text + &all("${vars.text}")))),
        ("references to a list", with_vars(&(list + &all("${vars.list}")))),
        ("references to nothing", with_vars(&all("${vars.nothing}"))),
        ("references to what is around", with_vars(&all("${vars}"))),
        ("missing values", with_vars(&all("???"))),
        ("unknown resolvers", with_vars(&all("${nobody:x}"))),
        ("open references", with_vars(&format!("  a: '{}'\n", filled("${")))),
        ("open calls", with_vars(&format!("  a: '{}'\n", filled("${env:")))),
        ("arguments", with_vars(&format!("  a: '${{oc.create:[{}1]}}'\n", filled("1,")))),
        ("backslashes", with_vars(&format!("  a: '{}${{vars}}'\n", filled("\\")))),
        ("huge templates", configs("n: { $range: [0, 1000000000] }")),
        ("many templates", configs("n: { $choice: [1, 2] }")),
        ("a choice of many", format!("{{ $choice: [{}] }}", filled("a, "))),
        ("choices in choices", format!("a: {}", filled("{ $choice: [1, "))),
    ]
}

fn json() -> Vec<(&'static str, String)> {
    let keys: Vec<_> = (0..MIB / 12).map(|at| format!("\"k{at:06}\":1")).collect();
    vec![
        ("nested lists", filled("[")),
        ("nested maps", filled("{\"a\":")),
        ("empty lists", format!("{{\"a\":[{}[]]}}", filled("[],"))),
        ("small maps", format!("{{\"a\":[{}{{}}]}}", filled("{\"a\":1},"))),
        ("many keys", format!("{{{}}}", keys.join(","))),
        ("one key", format!("{{\"{}\":1}}", filled("k"))),
        ("one number", format!("{{\"a\":{}}}", filled("9"))),
        ("escapes", format!("{{\"a\":\"{}\"}}", filled("\\u0041"))),
    ]
}

fn toml() -> Vec<(&'static str, String)> {
    let tables: String = (0..MIB / 12).map(|at| format!("[t{at:06}]\n")).collect();
    let keys: Vec<_> = (0..MIB / 12).map(|at| format!("k{at:06}=1")).collect();
    vec![
        ("nested lists", format!("a = {}", filled("["))),
        ("nested maps", format!("a = {}", filled("{a="))),
        ("numbers", format!("a = [{}1]", filled("1,"))),
        ("tables", tables),
        ("tables in lists", filled("[[a]]\n")),
        ("keys in one line", format!("a = {{{}}}", keys.join(","))),
        ("a dotted key", format!("{}a = 1", filled("a."))),
        ("a dotted table", format!("[{}a]", filled("a."))),
        ("one text", format!("a = '''{}'''", filled("x\n"))),
    ]
}

fn overrides() -> Vec<(&'static str, String)> {
    vec![
        ("nested lists", format!("a={}", filled("["))),
        ("nested maps", format!("a={}", filled("{a: "))),
        ("items", format!("a=[{}1]", filled("1,"))),
        ("empty maps", format!("a=[{}1]", filled("{},"))),
        ("one text", format!("a={}", filled("x"))),
        ("one quoted text", format!("a=\"{}\"", filled("\\u0041"))),
        ("a long path", format!("{}a=1", filled("a."))),
        ("indices", format!("a{}=1", filled("[0]"))),
        ("escapes", format!("{}=1", filled("\\="))),
        ("signs", filled("=")),
        ("tildes", filled("~")),
        ("references", format!("a={}", filled("${a}"))),
        ("a secret", format!("api_key=[{}", filled("a, "))),
    ]
}
