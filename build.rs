//! Lets the program find DuckDB's shared library where it was linked from.

fn main() {
    println!("cargo::rerun-if-env-changed=DUCKDB_LIB_DIR");
    if std::env::var_os("CARGO_FEATURE_BUNDLED").is_some() {
        return;
    }
    match std::env::var("DUCKDB_LIB_DIR") {
        Ok(folder) => {
            // Beside the program first: so both can be put on another machine.
            let here = if cfg!(target_os = "macos") { "@loader_path" } else { "$ORIGIN" };
            println!("cargo::rustc-link-arg=-Wl,-rpath,{here}");
            println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
        }
        Err(_) => println!(
            "cargo::warning=DUCKDB_LIB_DIR is not set: run `make run`, or build with `--features bundled`"
        ),
    }
}
