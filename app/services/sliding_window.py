"""So many events within so long, counted in Redis for all processes, by Redis' own clock.

A log of the events, looked at and added to in one step: however many ask at once, no window ever holds one too many.
"""

from collections.abc import Sequence

from app.enqueue import redis

# Scores are microseconds. The answer: 0 when the event was counted, else the microseconds until there is a place.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local longest = 0
for i = 1, #ARGV, 2 do
  local limit, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  longest = math.max(longest, window)
  local events = redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. string.format('%.0f', now - window),
                            'WITHSCORES', 'LIMIT', limit - 1, 1)
  if #events > 0 then return math.max(1, events[2] + window - now) end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - longest))
local stamp = string.format('%.0f', now)
redis.call('ZADD', KEYS[1], stamp, stamp .. ':' .. redis.call('ZCARD', KEYS[1]))
redis.call('PEXPIRE', KEYS[1], math.ceil(longest / 1000))
return 0
"""


def take(key: str, *limits: tuple[int, float]) -> float:
    """Count an event under each (most events, seconds); returns 0 when it was, else the seconds until it may be.

    An event that is refused is not counted. Raises redis.RedisError.
    """
    arguments: Sequence[int] = [part for most, window_s in limits for part in (most, round(window_s * 1_000_000))]
    return redis().register_script(TAKE)(keys=[key], args=arguments) / 1_000_000
