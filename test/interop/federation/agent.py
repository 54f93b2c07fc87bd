"""A slixmpp client that does what it is told, one JSON object a line, and says what it sees the same way."""
import asyncio, json, logging, sys
from xml.etree import ElementTree
import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

logging.basicConfig(level=logging.CRITICAL)
# What the library prints itself is not for the test to read.
out, sys.stdout = sys.stdout, sys.stderr


def say(**what):
    print(json.dumps(what), file=out, flush=True)


class Agent(slixmpp.ClientXMPP):
    def __init__(self, jid, password, authorities):
        super().__init__(jid, password)
        self.ca_certs = authorities
        for plugin in ("xep_0030", "xep_0199", "xep_0045", "xep_0060", "xep_0092", "xep_0115", "xep_0163", "xep_0118"):
            self.register_plugin(plugin)
        self["xep_0163"].add_interest("http://jabber.org/protocol/tune")
        self.add_event_handler("pubsub_publish", self.published)
        self.add_event_handler("user_tune_publish", lambda m: say(event="tune", sender=str(m["from"]), body=m["pubsub_event"]["items"]["item"]["tune"]["title"]))
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_all_auth", lambda _: say(event="failed"))
        self.add_event_handler("message", lambda m: m["type"] == "error" or say(event="message", type=m["type"], sender=str(m["from"]), body=m["body"]))
        self.register_handler(Callback("refused", StanzaPath("message@type=error"), self.refused))
        self.register_handler(Callback("seen", StanzaPath("presence"), lambda p: say(event="presence", type=p["type"], sender=str(p["from"]))))
        self.add_event_handler("roster_update", lambda q: [say(event="roster", jid=str(j), subscription=i["subscription"]) for j, i in q["roster"]["items"].items()])

    def refused(self, m):
        say(event="message", type="error", sender=str(m["from"]), body=m["body"], error=m["error"]["condition"])

    def published(self, m):
        items = m["pubsub_event"]["items"]
        for item in list(items["substanzas"]):
            say(event="published", sender=str(m["from"]), node=items["node"], body=item["payload"].text or "")

    async def start(self, _):
        self.send_presence()
        await self.get_roster()
        tls = self.transport.get_extra_info("ssl_object")
        say(event="ready", jid=str(self.boundjid), mechanism=self["feature_mechanisms"].mech.name, tls=tls.version() if tls else "")

    async def do(self, command):
        what = command["do"]
        if what == "message":
            self.send_message(mto=command["to"], mbody=command["body"], mtype=command.get("type", "chat"))
        elif what == "subscribe":
            self.send_presence_subscription(pto=command["to"])
        elif what == "join":
            self["xep_0045"].join_muc(command["room"], command["nick"])
        elif what in ("create", "follow", "publish", "play"):
            try:
                await self.pubsub(**command)
                say(event=what)
            except slixmpp.exceptions.XMPPError as error:
                say(event=what, error=error.condition)
        elif what == "disco":
            try:
                info = await self["xep_0030"].get_info(jid=command["to"], timeout=10)
                say(event="disco", sender=command["to"], features=sorted(info["disco_info"]["features"]))
            except slixmpp.exceptions.XMPPError as error:
                say(event="disco", sender=command["to"], error=error.condition)

    async def pubsub(self, do, to=None, node=None, body=""):
        service = self["xep_0060"]
        if do == "create":
            await service.create_node(to, node)
        elif do == "follow":
            await service.subscribe(to, node)
        elif do == "publish":
            payload = ElementTree.Element("{test:entry}entry")
            payload.text = body
            await service.publish(to, node, payload=payload)
        else:
            await self["xep_0118"].publish_tune(title=body)


async def main():
    jid, password, host, port, authorities = sys.argv[1:6]
    agent = Agent(jid, password, authorities)
    agent.connect((host, int(port)))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await agent.do(json.loads(line))
    agent.disconnect()


asyncio.get_event_loop().run_until_complete(main())
