//! What the backend's JSON means.

use serde::{Deserialize, Serialize};

use crate::bindings::exports::acme::loyalty::loyalty::{Balance, Redemption};

/// `GET /members/{id}`
#[derive(Deserialize)]
pub struct Member {
    id: String,
    points: u32,
    tier: String,
}

/// What is posted to `/members/{id}/redemptions`.
#[derive(Serialize)]
pub struct Order {
    pub points: u32,
    pub reward: String,
}

/// What comes back.
#[derive(Deserialize)]
pub struct Booking {
    id: String,
    member_id: String,
    reward: String,
    points: u32,
    remaining: u32,
}

impl From<Member> for Balance {
    fn from(member: Member) -> Self {
        Self {
            customer_id: member.id,
            points: member.points,
            tier: member.tier,
        }
    }
}

impl From<Booking> for Redemption {
    fn from(booking: Booking) -> Self {
        Self {
            customer_id: booking.member_id,
            redemption_id: booking.id,
            reward: booking.reward,
            points: booking.points,
            remaining: booking.remaining,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_points_they_are_comes_from_the_backend() {
        let json = r#"{"id": "C-1001", "points": 250, "tier": "silver", "since": 2019}"#;
        let balance = Balance::from(serde_json::from_str::<Member>(json).unwrap());
        assert_eq!((balance.customer_id.as_str(), balance.points), ("C-1001", 250));
    }
}
