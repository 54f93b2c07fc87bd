"""A slixmpp component (XEP-0114) that says again whatever it is told, and answers disco and pings as slixmpp does."""
import asyncio, logging, sys
import slixmpp

logging.basicConfig(level=logging.CRITICAL)


class Echo(slixmpp.ComponentXMPP):
    def __init__(self, domain, secret, host, port):
        super().__init__(domain, secret, host, port)
        for plugin in ("xep_0030", "xep_0199"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", lambda _: print("ready", flush=True))
        self.add_event_handler("message", lambda m: m["type"] == "error" or m.reply(m["body"]).send())


domain, secret, host, port = sys.argv[1:5]
echo = Echo(domain, secret, host, int(port))
echo.connect()
asyncio.get_event_loop().run_forever()
