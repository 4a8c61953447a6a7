mod pipeline;
mod schema;
