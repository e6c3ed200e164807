"""What packaging/quickstart shows, told by real programs: story.py [--pair] [--check]

Alone: a node in a private folder with two small servers, until Ctrl-C. With --pair: two nodes, a client and two
servers in network namespaces, a virtual address and a shared PostgreSQL; the Active node is killed and the outage
that the client saw is printed. With --check nothing waits for a person, and the exit status is 0 only when all held.
"""
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "net"))
sys.path.insert(0, str(ROOT / "packaging"))

from lab import BUILD, Lab, connects, http_get, wait_for  # noqa: E402


def say(text=""):
    print(text, flush=True)


def show(node, *words):
    """Prints a ballastctl command and what it prints."""
    say(f"\n$ ballastctl {' '.join(words)}")
    say(node.ctl(*words).stdout.rstrip())


def wait_for_interrupt():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        signal.pause()
    except KeyboardInterrupt:
        say("\nending")


def spread(address, requests):
    """How many of these requests each server answered."""
    seen = {}
    for _ in range(requests):
        status, body = http_get(address)
        assert status == 200, f"the listener answered {status}"
        seen[body.strip()] = seen.get(body.strip(), 0) + 1
    return seen


def check_ports_are_free(ports):
    taken = [port for port in ports if connects("127.0.0.1", port)]
    if taken:
        names = ", ".join(map(str, taken))
        sys.exit(f"quickstart uses the ports 8080 to 8082 of 127.0.0.1, and {names} is in use: "
                 f"end what listens there and run it again.")


def single(is_check):
    check_ports_are_free((8080, 8081, 8082))
    example = ROOT / "packaging" / "examples" / "shop.yaml"
    with Lab("quickstart") as lab:
        servers = {name: lab.http_server(name, port=port) for name, port in (("w1", 8081), ("w2", 8082))}
        say("started two small servers: w1 on 127.0.0.1:8081, w2 on 127.0.0.1:8082")
        node = lab.node("lb-a", workers=2)
        node.start()
        say(f"started the four daemons of node lb-a in {node.folder}")
        show(node, "apply", "-f", str(example), "--wait")
        wait_for(lambda: set(node.server_states("web").values()) == {"up"}, 10, "both servers up")
        seen = spread("127.0.0.1:8080", 20)
        say(f"\n20 requests to http://127.0.0.1:8080/ were answered by: {seen}")
        assert set(seen) == {"w1", "w2"}, seen
        show(node, "drain", "web/w1", "--why", "shown in the quickstart")
        wait_for(lambda: set(spread("127.0.0.1:8080", 4)) == {"w2"}, 2, "each worker to hear of the drain")
        seen = spread("127.0.0.1:8080", 10)
        say(f"\nwith w1 drained, 10 requests were answered by: {seen}")
        assert set(seen) == {"w2"}, seen
        show(node, "ready", "web/w1")
        wait_for(lambda: "w1" in spread("127.0.0.1:8080", 4), 2, "each worker to hear of it")
        servers["w2"].stop()
        seen = spread("127.0.0.1:8080", 10)
        say(f"\nwith w2 stopped, 10 requests were answered by: {seen}; none failed")
        assert set(seen) == {"w1"}, seen
        wait_for(lambda: node.server_states("web")["w2"] == "down", 10, "w2 down")
        show(node, "explain", "web/w2")
        lab.http_server("w2", port=8082)
        wait_for(lambda: node.server_states("web")["w2"] == "up", 10, "w2 up again")
        show(node, "status")
        if not is_check:
            how_to_go_on(node, example)
            wait_for_interrupt()
    say("\neverything held; nothing is left behind")


def how_to_go_on(node, example):
    say(f"""
It runs until Ctrl-C. In another terminal:

  export BALLAST_SERVER=unix:{node.run}/api.sock PATH={BUILD}/control:$PATH
  curl http://127.0.0.1:8080/
  ballastctl status
  ballastctl weight web/w1 10
  ballastctl events -f
  cp {example} /tmp/shop.yaml, change it, then: ballastctl apply -f /tmp/shop.yaml --wait
  ballastctl explain pool""")


def main():
    words = sys.argv[1:]
    if "--pair" in words:
        import story_pair
        story_pair.tell("--check" in words, say, show, wait_for_interrupt)
    else:
        single("--check" in words)


if __name__ == "__main__":
    main()
