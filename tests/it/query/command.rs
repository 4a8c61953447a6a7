//! The command line (to come with the warehouse).
