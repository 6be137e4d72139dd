"""Store a turn and recall the last ones, over HTTP, with the standard library alone.

    python3 remember.py --url http://127.0.0.1:7811 --database claims --token <token> "Hi, it is Sarah."

It calls the reducers of the demo's module, modules/claims; another module has others. The token is one of the database: `remembrancer token --subject sarah --ttl 1h` makes it.
REMEMBRANCER_URL, REMEMBRANCER_DATABASE and REMEMBRANCER_TOKEN stand in for the options.
"""

import argparse
import http.client
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request


class Memory:
    """A database as the holder of one token sees it."""

    def __init__(self, url, database, token):
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is not the URL of a host: it looks like http://127.0.0.1:7811")
        self.base = f"{url.rstrip('/')}/v1/databases/{urllib.parse.quote(database)}"
        self.token = token

    def call(self, reducer, **args):
        """Runs a reducer; what it did is on disk when this returns."""
        return self._post(f"call/{reducer}", args)

    def query(self, query, **args):
        return self._post(f"query/{query}", args)

    def _post(self, path, args):
        request = urllib.request.Request(
            f"{self.base}/{path}",
            data=json.dumps({"args": args}).encode(),
            headers={"authorization": f"Bearer {self.token}", "content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)["result"]
        except urllib.error.HTTPError as refused:
            error = json.load(refused)["error"]
            raise RuntimeError(f"{error['code']}: {error['message']}") from None
        except urllib.error.URLError as failure:
            raise RuntimeError(f"no host answers at {self.base}: {failure.reason}") from None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default=os.environ.get("REMEMBRANCER_URL", "http://127.0.0.1:7811"))
    parser.add_argument("--database", default=os.environ.get("REMEMBRANCER_DATABASE", "claims"))
    parser.add_argument("--token", default=os.environ.get("REMEMBRANCER_TOKEN", ""))
    parser.add_argument("turn", nargs="?", help="what was said; left out: only recall")
    options = parser.parse_args()

    if not options.token:
        parser.error("which token? Give --token or REMEMBRANCER_TOKEN; remembrancer token --subject sarah makes one")

    try:
        memory = Memory(options.url, options.database, options.token)
        if options.turn is not None:
            memory.call("remember_turn", content=options.turn)
        print(memory.query("greeting"))
        for turn in memory.query("last_turns", limit=20):
            print(f"{turn['at']}  {turn['role']:6}  {turn['content']}")
    except (RuntimeError, OSError, ValueError, KeyError, http.client.HTTPException) as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
