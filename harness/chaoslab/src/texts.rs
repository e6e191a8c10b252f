//! The scenario text that tests begin with.

/// The text of a scenario with three cache nodes, `h/1` to `h/3`: its name, its seed, how long it
/// lasts, how many events it may take, and the tables that a test is about.
#[macro_export]
macro_rules! three_caches {
    ($name:literal, $seed:literal, $sim_time:literal, $events:literal, $tables:literal) => {
        concat!(
            "format = 1\nname   = \"",
            $name,
            "\"\nabout  = \"a small world\"\nsystem = \"hyperion\"\nseed   = ",
            $seed,
            "\nexpect = \"pass\"\n\n[budget]\nsim_time = \"",
            $sim_time,
            "\"\nevents   = ",
            $events,
            "\n\n[nodes.h]\nrole  = \"cache\"\ncount = 3\n",
            $tables
        )
    };
}
