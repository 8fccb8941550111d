"""Python's `redis.cluster` against a running server: `python3 python_redis_cluster.py PORT`, a shard's own port, and over
TLS with `python3 python_redis_cluster.py PORT CA CERT KEY`.

Called by the black-box tests (`cluster::the_python_library_in_cluster_mode`) and by hand. Anything that is not as a
program expects ends it with an error.
"""

import sys

import redis
from redis.cluster import RedisCluster


def check(protocol: int, port: int, **tls: object) -> None:
    r = RedisCluster(host="127.0.0.1", port=port, protocol=protocol, decode_responses=True, **tls)
    nodes = r.get_primaries()
    assert nodes and not r.get_replicas()
    r.flushall(target_nodes=RedisCluster.PRIMARIES)

    for n in range(500):
        assert r.set(f"key:{n}", n)
    for n in range(500):
        assert r.get(f"key:{n}") == str(n)
    assert r.dbsize(target_nodes=RedisCluster.PRIMARIES) == 500
    wanted = sorted(f"key:{n}" for n in range(500))
    assert sorted(r.keys(target_nodes=RedisCluster.PRIMARIES)) == wanted
    assert sorted(r.scan_iter("key:*", count=20)) == wanted

    assert r.mset({"{user:1}:name": "a", "{user:1}:mail": "b"})
    assert r.mget("{user:1}:name", "{user:1}:mail") == ["a", "b"]
    assert r.mget_nonatomic("key:1", "key:2", "key:3") == ["1", "2", "3"]
    try:
        r.mget("key:1", "key:2", "key:3")
        raise AssertionError("keys of several slots")
    except redis.exceptions.RedisClusterException:
        pass
    assert r.delete(*wanted) == 500

    with r.pipeline() as pipe:
        for n in range(200):
            pipe.set(f"p{n}", n)
        for n in range(200):
            pipe.get(f"p{n}")
        assert pipe.execute()[200:] == [str(n) for n in range(200)]

    slot = r.cluster_keyslot("p1")
    assert r.cluster_countkeysinslot(slot) >= 1
    for node in nodes:
        assert r.cluster_info(node)["cluster_state"] == "ok"
        assert r.info(target_nodes=node)["redis_mode"] == "cluster"
    r.close()


if __name__ == "__main__":
    encryption: dict[str, object] = {}
    if len(sys.argv) > 2:
        ca, certificate, key = sys.argv[2:]
        encryption = {"ssl": True, "ssl_ca_certs": ca, "ssl_certfile": certificate, "ssl_keyfile": key}
    for protocol in (2, 3):
        check(protocol, int(sys.argv[1]), **encryption)
