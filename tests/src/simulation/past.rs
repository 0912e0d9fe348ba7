//! A city that has exchanged already when its history begins: a template like the first one, and cheaper to go on from.

use std::path::Path;

use super::{
    clerk::Memory,
    history::{City, chance_of},
    people::Person,
    template::Template,
};

/// The most rounds until its first rest.
const ROUNDS: u32 = 200;

/// What people remember of what has happened.
#[derive(Debug)]
pub struct Past {
    /// Milliseconds since the beginning.
    pub passed: i64,
    /// The people of the city.
    pub people: Vec<Person>,
    /// What each clerk has written.
    pub memories: Vec<Memory>,
}

/// Lets a city in a copy of `template` at `dir` load, merge and publish, and stops it at rest.
///
/// # Errors
/// What went wrong, though nothing was to.
pub fn settle(template: &Template, dir: &Path) -> Result<Past, String> {
    let _given = chance_of(0);
    let mut city = City::begin(template, dir, 0)?;
    city.server().calm_down().map_err(|error| format!("ftp: {error}"))?;
    for clerk in &mut city.clerks {
        for _ in 0..3 {
            clerk.recipient(&mut city.dice, &city.people)?;
        }
        clerk.contact(&mut city.dice)?;
        clerk.programme(&mut city.dice)?;
    }
    city.round()?;
    let refused = |error| format!("{error:?}");
    city.hub.merge().map_err(refused)?;
    city.until_rest(ROUNDS)?;
    for _ in 0..template.centres {
        // one whom that centre does not know is refused
        let _ = city.hub.confirm(&mut city.dice, template.centres);
    }
    city.until_rest(ROUNDS)?;
    if !super::checks::is_at_rest(&city).map_err(|error| error.to_string())? {
        return Err("a city just set up does not come to rest".to_owned());
    }
    city.hub.stop();
    city.centres.iter_mut().for_each(super::centre::Centre::stop);
    let passed = city.time.passed();
    Ok(Past {
        passed,
        people: city.people,
        memories: city.clerks.into_iter().map(|clerk| clerk.memory).collect(),
    })
}
