// Loyalty points of Acme's members, as tools of a support desk.

import { get, post } from "./backend";

interface Balance {
  customerId: string;
  points: number;
  tier: string;
}

interface Redemption {
  customerId: string;
  redemptionId: string;
  reward: string;
  points: number;
  remaining: number;
}

export const loyalty = {
  getPoints(customerId: string): Balance {
    const member = get(`/members/${encodeURIComponent(customerId)}`);
    return { customerId: member.id, points: member.points, tier: member.tier };
  },

  // One request that changes something, whose bytes follow from the arguments alone: then the host can send it again under the
  // same key, and points are taken once.
  redeemPoints(customerId: string, points: number, reward: string): Redemption {
    const booking = post(`/members/${encodeURIComponent(customerId)}/redemptions`, { points, reward });
    return {
      customerId: booking.member_id,
      redemptionId: booking.id,
      reward: booking.reward,
      points: booking.points,
      remaining: booking.remaining,
    };
  },
};
