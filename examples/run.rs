use starlog::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let model = match model::load(std::path::Path::new(&a[1])) { Ok(m) => m, Err(e) => { eprintln!("{e}"); if let Some(r) = e.report() { eprintln!("{r:?}"); } std::process::exit(2) } };
    let layouts = a[3].split(',').map(|l| l.parse().unwrap()).collect();
    let options = nightly::Options { warehouse: a[2].clone().into(), layouts, log: a[4..].to_vec(), threads: None, memory_bytes: None, started: "now".into() };
    match nightly::run(&model, &options, &disk::Disk::default(), &()) {
        Ok(r) => println!("{}", serde_json::to_string_pretty(&r).unwrap()),
        Err(e) => { eprintln!("error: {e}\n{:?}", e.next_step()); std::process::exit(e.exit_code().into()) }
    }
}
