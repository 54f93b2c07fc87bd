"""A slixmpp client for pubsub: does one JSON command a line, and says what came of it and what it sees the same way."""
import asyncio, json, logging, sys
from xml.etree import ElementTree
import slixmpp
from slixmpp.exceptions import XMPPError

logging.basicConfig(level=logging.CRITICAL)


def say(**what):
    print(json.dumps(what), flush=True)


class Agent(slixmpp.ClientXMPP):
    def __init__(self, jid, password, authorities):
        super().__init__(jid, password)
        self.ca_certs = authorities
        for plugin in ("xep_0030", "xep_0060", "xep_0115", "xep_0163", "xep_0118"):
            self.register_plugin(plugin)
        self["xep_0163"].add_interest("http://jabber.org/protocol/tune")
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("pubsub_publish", lambda m: self.heard("published", m))
        self.add_event_handler("pubsub_retract", lambda m: self.heard("retracted", m))
        self.add_event_handler("pubsub_delete", lambda m: say(event="deleted", sender=str(m["from"]), node=m["pubsub_event"]["delete"]["node"]))
        self.add_event_handler("user_tune_publish", self.tune)

    async def start(self, _):
        self.send_presence()
        await self.get_roster()
        say(event="ready")

    def heard(self, what, m):
        items = m["pubsub_event"]["items"]
        # Quirk: to iterate over the items themselves begins anew with each look at one of them.
        for item in list(items["substanzas"]):
            payload = item["payload"] if what == "published" else None
            say(event=what, sender=str(m["from"]), node=items["node"], id=item["id"], text=payload.text or "" if payload is not None else "")

    def tune(self, m):
        say(event="tune", sender=str(m["from"]), text=m["pubsub_event"]["items"]["item"]["tune"]["title"])

    async def do(self, what, to=None, node=None, id=None, text=""):
        pubsub = self["xep_0060"]
        if what == "create":
            await pubsub.create_node(to, node)
        elif what == "subscribe":
            return (await pubsub.subscribe(to, node))["pubsub"]["subscription"]["subscription"]
        elif what == "publish":
            payload = ElementTree.Element("{test:entry}entry")
            payload.text = text
            return (await pubsub.publish(to, node, id=id, payload=payload))["pubsub"]["publish"]["item"]["id"]
        elif what == "retract":
            await pubsub.retract(to, node, id, notify=True)
        elif what == "items":
            items = (await pubsub.get_items(to, node))["pubsub"]["items"]
            return " ".join(item["id"] for item in items["substanzas"])
        elif what == "delete":
            await pubsub.delete_node(to, node)
        elif what == "play":
            await self["xep_0118"].publish_tune(title=text)
        return ""


async def main():
    jid, password, host, port, authorities = sys.argv[1:6]
    agent = Agent(jid, password, authorities)
    agent.connect((host, int(port)))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        try:
            say(event="done", text=await agent.do(**command))
        except XMPPError as error:
            say(event="refused", text=error.condition)
    agent.disconnect()


asyncio.get_event_loop().run_until_complete(main())
