"""Python's `redis` against a running server: `python3 python_redis.py PORT`, and over TLS with
`python3 python_redis.py PORT CA CERT KEY`.

Called by the black-box tests (`client_libraries::python`) and by hand. Anything that is not as a program expects ends it
with an error.
"""

import sys

import redis


def check(protocol: int, port: int, **tls: object) -> None:
    r = redis.Redis(port=port, db=3, protocol=protocol, decode_responses=True, **tls)
    assert r.ping()
    r.flushdb()

    assert r.set("name", "corelane", ex=100)
    assert r.get("name") == "corelane"
    assert r.set("name", "other", nx=True) is None
    assert 98 <= r.ttl("name") <= 100
    assert r.get("nothing") is None
    assert r.incrby("count", 42) == 42
    assert r.incrbyfloat("half", 0.5) == 0.5
    assert r.type("name") == "string"

    keys = [f"key:{n}" for n in range(500)]
    assert r.mset({key: key.upper() for key in keys})
    assert r.mget(keys) == [key.upper() for key in keys]
    assert sorted(r.scan_iter("key:*", count=50)) == sorted(keys)
    assert r.rename("key:0", "renamed")
    assert r.delete(*keys) == 499

    with r.pipeline(transaction=False) as pipe:
        for n in range(1000):
            pipe.set(f"k{n % 10}", n).get(f"k{n % 10}")
        replies = pipe.execute()
    assert replies[1::2] == [str(n) for n in range(1000)]

    try:
        r.incr("name")
    except redis.ResponseError as error:
        assert "not an integer" in str(error)
    else:
        raise AssertionError("INCR of a word went through")

    assert r.config_get("maxclients") == {"maxclients": "10000"}
    assert r.info("server")["redis_version"].startswith("7.")
    assert r.client_setname("judge") and r.client_getname() == "judge"
    assert any(client["name"] == "judge" for client in r.client_list())
    assert r.execute_command("COMMAND COUNT") > 50
    assert r.object("encoding", "count") == "int"
    assert r.memory_usage("name") > 0


encryption: dict[str, object] = {}
if len(sys.argv) > 2:
    ca, certificate, key = sys.argv[2:]
    encryption = {"ssl": True, "ssl_ca_certs": ca, "ssl_certfile": certificate, "ssl_keyfile": key}

for version in (2, 3):
    check(version, int(sys.argv[1]), **encryption)
