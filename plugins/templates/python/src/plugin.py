"""Loyalty points of Acme's members, as tools of a support desk."""

from urllib.parse import quote

from backend import get, post
from wit_world.exports import loyalty


class Loyalty:
    def get_points(self, customer_id: str) -> loyalty.Balance:
        member = get(f"/members/{quote(customer_id, safe='')}")
        return loyalty.Balance(member["id"], member["points"], member["tier"])

    # One request that changes something, whose bytes follow from the arguments alone: then the host can send it again under
    # the same key, and points are taken once.
    def redeem_points(self, customer_id: str, points: int, reward: str) -> loyalty.Redemption:
        order = {"points": points, "reward": reward}
        booking = post(f"/members/{quote(customer_id, safe='')}/redemptions", order)
        return loyalty.Redemption(
            booking["member_id"], booking["id"], booking["reward"], booking["points"], booking["remaining"]
        )
