//! Votes on metadata move in an order in which no start can miss a commit, whatever fails in between: rosters that cannot
//! be written show what had happened by then.

use super::*;

impl Ward {
    /// How many votes the roster knows, and who votes on commits.
    fn votes(&self) -> (usize, Vec<usize>) {
        let members = self.fixture.store.parts.members();
        let replicas = self.fixture.meta.replicas();
        let number = |name: &str| {
            self.fixture.volumes.iter().position(|volume| volume.id().to_string() == name).unwrap()
        };
        let mut voting: Vec<usize> =
            replicas.iter().filter(|replica| replica.voter).map(|replica| number(&replica.name)).collect();
        voting.sort_unstable();
        (members.roster().voters().count(), voting)
    }

    /// Steps until there are so many votes, or the next step would change a roster that cannot be written.
    async fn tend(&self, votes: usize) {
        let begun = Instant::now();
        while self.votes().0 != votes || self.votes().1.len() != votes {
            assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", self.votes());
            let _ = self.fixture.store.tend_metadata().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Steps until one cannot be completed, because too few volumes take the roster.
    async fn tend_in_vain(&self) -> (usize, usize) {
        self.break_volume(1, On::Changes, Fault::Errno(EIO));
        self.break_volume(2, On::Changes, Fault::Errno(EIO));
        let begun = Instant::now();
        while self.fixture.store.tend_metadata().await.is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", self.votes());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.faults.mend();
        let (roster, voting) = self.votes();
        (roster, voting.len())
    }

    async fn drain(&self, number: usize) {
        self.fixture.store.drain_volume(self.fixture.volumes[number].id(), true).await.unwrap();
    }
}

/// One of two is enough for a start, so a roster may only name two when both have everything.
#[tokio::test]
async fn the_roster_goes_first_from_two_votes_to_three_and_last_between_one_and_two() {
    let ward = Ward::new(3, 3).await;
    assert_eq!(ward.votes(), (1, vec![0]));
    assert_eq!(ward.tend_in_vain().await, (1, 2), "commits need both before a start may need one of them");
    ward.tend(2).await;
    assert_eq!(ward.tend_in_vain().await, (2, 2), "a commit with two of three needs a roster of three");
    ward.tend(3).await;
    ward.put("a", &body_of("a")).await;
    ward.get("a").await;
}

#[tokio::test]
async fn the_vote_goes_first_from_three_to_two_and_last_from_two_to_one() {
    let ward = Ward::new(3, 1).await;
    ward.tend(3).await;
    ward.drain(2).await;
    assert_eq!(ward.tend_in_vain().await, (3, 2), "both have everything before a roster names them alone");
    ward.tend(2).await;
    assert_eq!(ward.votes().1, [0, 1]);
    ward.drain(1).await;
    assert_eq!(
        ward.tend_in_vain().await,
        (2, 2),
        "no commit of one alone while a start may do with the other"
    );
    ward.tend(1).await;
    assert_eq!(ward.votes().1, [0]);
    ward.put("a", &body_of("a")).await;
    ward.get("a").await;
}
