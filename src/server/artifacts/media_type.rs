//! The media type of a file, by its name.

/// What MLflow shows as text, whatever its type is called elsewhere; the last two are whole names.
const TEXT: &[&str] = &[
    "txt",
    "log",
    "err",
    "cfg",
    "conf",
    "cnf",
    "cf",
    "ini",
    "properties",
    "prop",
    "hocon",
    "toml",
    "yaml",
    "yml",
    "xml",
    "json",
    "js",
    "py",
    "py3",
    "csv",
    "tsv",
    "md",
    "rst",
    "ipynb",
    "MLmodel",
    "mlproject",
];

/// Endings that say how a file is packed, not what it is.
const PACKED: &[&str] = &["gz", "Z", "bz2", "xz", "br"];

/// Endings that stand for two.
const SHORT: &[(&str, &str)] = &[
    ("svgz", "svg"),
    ("tgz", "tar"),
    ("taz", "tar"),
    ("tz", "tar"),
    ("tbz2", "tar"),
    ("txz", "tar"),
];

/// The media type that MLflow's server gives a file of this name: that of Python's table, or
/// text, or bytes.
pub(super) fn of(name: &str) -> &'static str {
    const BYTES: &str = "application/octet-stream";
    let Some((before, ending)) = split(name) else {
        return if TEXT.contains(&name) { "text/plain" } else { BYTES };
    };
    if TEXT.contains(&ending) {
        return "text/plain";
    }
    let ending = if PACKED.contains(&ending) {
        let Some((_, ending)) = split(before) else { return BYTES };
        ending
    } else {
        ending
    };
    let ending = ending.to_ascii_lowercase();
    let ending = SHORT.iter().find(|(short, _)| *short == ending).map_or(&*ending, |(_, of)| of);
    let known = TYPES.iter().find(|(_, endings)| endings.contains(&ending));
    known.map_or(BYTES, |(media_type, _)| media_type)
}

/// A name and its ending. A dot at the front begins none.
fn split(name: &str) -> Option<(&str, &str)> {
    let (before, ending) = name.rsplit_once('.')?;
    before.contains(|c| c != '.').then_some((before, ending))
}

const TYPES: &[(&str, &[&str])] = &[
    ("application/javascript", &["js", "mjs"]),
    ("application/json", &["json"]),
    ("application/manifest+json", &["webmanifest"]),
    ("application/msword", &["doc", "dot", "wiz"]),
    ("application/n-quads", &["nq"]),
    ("application/n-triples", &["nt"]),
    ("application/oda", &["oda"]),
    ("application/pdf", &["pdf"]),
    ("application/pkcs7-mime", &["p7c"]),
    ("application/postscript", &["ai", "eps", "ps"]),
    ("application/trig", &["trig"]),
    ("application/vnd.apple.mpegurl", &["m3u", "m3u8"]),
    ("application/vnd.ms-excel", &["xlb", "xls"]),
    ("application/vnd.ms-powerpoint", &["pot", "ppa", "pps", "ppt", "pwz"]),
    ("application/wasm", &["wasm"]),
    ("application/x-bcpio", &["bcpio"]),
    ("application/x-cpio", &["cpio"]),
    ("application/x-csh", &["csh"]),
    ("application/x-dvi", &["dvi"]),
    ("application/x-gtar", &["gtar"]),
    ("application/x-hdf", &["hdf"]),
    ("application/x-hdf5", &["h5"]),
    ("application/x-latex", &["latex"]),
    ("application/x-mif", &["mif"]),
    ("application/x-netcdf", &["cdf", "nc"]),
    ("application/x-pkcs12", &["p12", "pfx"]),
    ("application/x-pn-realaudio", &["ram"]),
    ("application/x-python-code", &["pyc", "pyo"]),
    ("application/x-sh", &["sh"]),
    ("application/x-shar", &["shar"]),
    ("application/x-shockwave-flash", &["swf"]),
    ("application/x-sv4cpio", &["sv4cpio"]),
    ("application/x-sv4crc", &["sv4crc"]),
    ("application/x-tar", &["tar"]),
    ("application/x-tcl", &["tcl"]),
    ("application/x-tex", &["tex"]),
    ("application/x-texinfo", &["texi", "texinfo"]),
    ("application/x-troff", &["roff", "t", "tr"]),
    ("application/x-troff-man", &["man"]),
    ("application/x-troff-me", &["me"]),
    ("application/x-troff-ms", &["ms"]),
    ("application/x-ustar", &["ustar"]),
    ("application/x-wais-source", &["src"]),
    ("application/xml", &["rdf", "wsdl", "xpdl", "xsl"]),
    ("application/zip", &["zip"]),
    ("audio/3gpp", &["3gp", "3gpp"]),
    ("audio/3gpp2", &["3g2", "3gpp2"]),
    ("audio/aac", &["aac", "adts", "ass", "loas"]),
    ("audio/basic", &["au", "snd"]),
    ("audio/mpeg", &["mp2", "mp3"]),
    ("audio/opus", &["opus"]),
    ("audio/x-aiff", &["aif", "aifc", "aiff"]),
    ("audio/x-pn-realaudio", &["ra"]),
    ("audio/x-wav", &["wav"]),
    ("image/avif", &["avif"]),
    ("image/bmp", &["bmp"]),
    ("image/gif", &["gif"]),
    ("image/heic", &["heic"]),
    ("image/heif", &["heif"]),
    ("image/ief", &["ief"]),
    ("image/jpeg", &["jpe", "jpeg", "jpg"]),
    ("image/png", &["png"]),
    ("image/svg+xml", &["svg"]),
    ("image/tiff", &["tif", "tiff"]),
    ("image/vnd.microsoft.icon", &["ico"]),
    ("image/x-cmu-raster", &["ras"]),
    ("image/x-portable-anymap", &["pnm"]),
    ("image/x-portable-bitmap", &["pbm"]),
    ("image/x-portable-graymap", &["pgm"]),
    ("image/x-portable-pixmap", &["ppm"]),
    ("image/x-rgb", &["rgb"]),
    ("image/x-xbitmap", &["xbm"]),
    ("image/x-xpixmap", &["xpm"]),
    ("image/x-xwindowdump", &["xwd"]),
    ("message/rfc822", &["eml", "mht", "mhtml", "nws"]),
    ("text/css", &["css"]),
    ("text/csv", &["csv"]),
    ("text/html", &["htm", "html"]),
    ("text/n3", &["n3"]),
    ("text/plain", &["bat", "c", "h", "ksh", "pl", "srt", "txt"]),
    ("text/richtext", &["rtx"]),
    ("text/tab-separated-values", &["tsv"]),
    ("text/vtt", &["vtt"]),
    ("text/x-python", &["py"]),
    ("text/x-setext", &["etx"]),
    ("text/x-sgml", &["sgm", "sgml"]),
    ("text/x-vcard", &["vcf"]),
    ("text/xml", &["xml"]),
    ("video/mp4", &["mp4"]),
    ("video/mpeg", &["m1v", "mpa", "mpe", "mpeg", "mpg"]),
    ("video/quicktime", &["mov", "qt"]),
    ("video/webm", &["webm"]),
    ("video/x-msvideo", &["avi"]),
    ("video/x-sgi-movie", &["movie"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// As `mlflow.utils.mime_type_utils._guess_mime_type` of MLflow 3.17 says.
    #[test]
    fn types_are_those_of_mlflow() {
        for (name, media_type) in [
            ("a.json", "text/plain"),
            ("a.PNG", "image/png"),
            ("a.png", "image/png"),
            ("a.jpeg", "image/jpeg"),
            ("a.svg", "image/svg+xml"),
            ("a.html", "text/html"),
            ("a.tar.gz", "application/x-tar"),
            ("a.tgz", "application/x-tar"),
            ("a.gz", "application/octet-stream"),
            ("a.svgz", "image/svg+xml"),
            ("a.yaml", "text/plain"),
            ("MLmodel", "text/plain"),
            ("MLproject", "application/octet-stream"),
            ("x.MLmodel", "text/plain"),
            ("README", "application/octet-stream"),
            (".gitignore", "application/octet-stream"),
            (".json", "application/octet-stream"),
            ("a.csv", "text/plain"),
            ("a.tsv", "text/plain"),
            ("a.parquet", "application/octet-stream"),
            ("a.pkl", "application/octet-stream"),
            ("a.h5", "application/x-hdf5"),
            ("a.npz", "application/octet-stream"),
            ("a.pdf", "application/pdf"),
            ("a.zip", "application/zip"),
            ("a.xml", "text/plain"),
            ("a.xml.gz", "text/xml"),
            ("a.js", "text/plain"),
            ("a.mjs", "application/javascript"),
            ("a.mp4", "video/mp4"),
            ("a.wav", "audio/x-wav"),
            ("a.JSON", "application/json"),
            ("a.", "application/octet-stream"),
            ("a.b.txt", "text/plain"),
            ("conda.yaml", "text/plain"),
            ("a.Z", "application/octet-stream"),
            ("a.onnx", "application/octet-stream"),
            ("a.htm", "text/html"),
            ("a.jpg", "image/jpeg"),
            ("a.ipynb", "text/plain"),
        ] {
            assert_eq!(of(name), media_type, "{name}");
        }
    }
}
