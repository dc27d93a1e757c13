"""Small made-up traffic for the learning parts: three categories in two languages, and strangers."""

import random

SUBJECTS = {
    "refund": ["I want my money back for", "please refund", "when do I get the refund of", "退款", "我要退钱"],
    "login": ["I cannot log in to", "password reset fails for", "the sign in page rejects", "登录不了", "密码忘了"],
    "delivery": ["where is the parcel with", "my package is late:", "the courier lost", "快递没到", "包裹在哪里"],
}
OBJECTS = ["the blue shoes", "order seven", "my account", "the gift", "the spring sale", "the second one", "this thing"]
STRANGERS = ["sing me a song about rain", "what is the tallest mountain", "tell a joke", "who won the match"]


def messages(n: int, seed: int = 0) -> list[tuple[str, str]]:
    """n pairs of text and category, all categories equally often."""
    rng = random.Random(seed)
    names = sorted(SUBJECTS)
    return [
        (f"{rng.choice(SUBJECTS[names[i % 3]])} {rng.choice(OBJECTS)} {rng.choice(OBJECTS)}", names[i % 3])
        for i in range(n)
    ]
