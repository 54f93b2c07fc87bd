"""A slixmpp client that does what it is told, one JSON object a line, and says what it sees the same way."""
import asyncio, base64, hashlib, json, logging, sys
from xml.etree import ElementTree
import slixmpp
from slixmpp.exceptions import XMPPError
from slixmpp.xmlstream import tostring
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath, StanzaPath

logging.basicConfig(level=logging.CRITICAL)
# What the library prints itself is not for the test to read.
out, sys.stdout = sys.stdout, sys.stderr

JINGLE = "urn:xmpp:jingle:1"
PHOTO = "{vcard-temp:x:update}x/{vcard-temp:x:update}photo"
PLUGINS = """xep_0030 xep_0199 xep_0045 xep_0060 xep_0092 xep_0115 xep_0163 xep_0118
             xep_0054 xep_0084 xep_0280 xep_0313""".split()


def say(**what):
    print(json.dumps(what), file=out, flush=True)


class Agent(slixmpp.ClientXMPP):
    def __init__(self, jid, password, authorities):
        super().__init__(jid, password)
        self.ca_certs = authorities
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self["xep_0163"].add_interest("http://jabber.org/protocol/tune")
        self["xep_0030"].add_feature(JINGLE)
        self.add_event_handler("pubsub_publish", self.published)
        self.add_event_handler("user_tune_publish", lambda m: say(event="tune", sender=str(m["from"]), body=m["pubsub_event"]["items"]["item"]["tune"]["title"]))
        self.add_event_handler("avatar_metadata_publish", self.avatar)
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_all_auth", lambda _: say(event="failed"))
        self.add_event_handler("message", lambda m: m["type"] == "error" or say(event="message", type=m["type"], sender=str(m["from"]), body=m["body"]))
        self.add_event_handler("carbon_received", lambda m: self.carbon("received", m["carbon_received"]))
        self.add_event_handler("carbon_sent", lambda m: self.carbon("sent", m["carbon_sent"]))
        self.register_handler(Callback("refused", StanzaPath("message@type=error"), self.refused))
        self.register_handler(Callback("seen", StanzaPath("presence"), self.presence))
        self.register_handler(Callback("called", MatchXPath(f"{{jabber:client}}iq/{{{JINGLE}}}jingle"), self.called))
        self.add_event_handler("roster_update", lambda q: [say(event="roster", jid=str(j), subscription=i["subscription"]) for j, i in q["roster"]["items"].items()])

    def presence(self, p):
        photo = p.xml.find(PHOTO)
        say(event="presence", type=p["type"], sender=str(p["from"]), **({} if photo is None else {"photo": photo.text or ""}))

    def refused(self, m):
        say(event="message", type="error", sender=str(m["from"]), id=m["id"], error=m["error"]["condition"])

    def carbon(self, which, m):
        say(event="carbon", type=which, sender=str(m["from"]), body=m["body"])

    def published(self, m):
        items = m["pubsub_event"]["items"]
        for item in list(items["substanzas"]):
            say(event="published", sender=str(m["from"]), node=items["node"], body=item["payload"].text or "")

    def avatar(self, m):
        for info in m["pubsub_event"]["items"]["item"]["avatar_metadata"]["items"]:
            say(event="avatar", sender=str(m["from"]), photo=info["id"])

    def called(self, iq):
        if iq["type"] != "set":
            return
        jingle = iq.xml.find(f"{{{JINGLE}}}jingle")
        say(event="called", sender=str(iq["from"]), type=jingle.get("action"), body=tostring(jingle))
        iq.reply().send()

    async def start(self, _):
        self.send_presence()
        await self.get_roster()
        tls = self.transport.get_extra_info("ssl_object")
        say(event="ready", jid=str(self.boundjid), mechanism=self["feature_mechanisms"].mech.name, tls=tls.version() if tls else "")

    async def do(self, what, more):
        """What asks something says the answer, or which error it was."""
        try:
            answer = await getattr(self, f"do_{what}")(**more)
        except XMPPError as error:
            answer = {"error": error.condition}
        if answer is not None:
            say(event=what, **answer)

    async def do_message(self, to, body, type="chat", id=None):
        message = self.make_message(mto=to, mbody=body, mtype=type)
        message["id"] = id or self.new_id()
        message.send()

    async def do_subscribe(self, to):
        self.send_presence_subscription(pto=to)

    async def do_appear(self, body):
        self.send_presence(pstatus=body)

    async def do_join(self, room, nick):
        self["xep_0045"].join_muc(room, nick)

    async def do_create(self, to, node):
        await self["xep_0060"].create_node(to, node)
        return {}

    async def do_follow(self, to, node):
        await self["xep_0060"].subscribe(to, node)
        return {}

    async def do_publish(self, to, node, body):
        payload = ElementTree.Element("{test:entry}entry")
        payload.text = body
        await self["xep_0060"].publish(to, node, payload=payload)
        return {}

    async def do_play(self, body):
        await self["xep_0118"].publish_tune(title=body)
        return {}

    async def do_disco(self, to):
        info = await self["xep_0030"].get_info(jid=to, timeout=10)
        return {"sender": to, "features": sorted(info["disco_info"]["features"])}

    async def do_items(self, to):
        found = await self["xep_0030"].get_items(jid=to, timeout=10)
        return {"sender": to, "items": sorted(str(jid) for jid, _, _ in found["disco_items"]["items"])}

    async def do_introduce(self, body):
        """Oneself, by a vCard."""
        card = self["xep_0054"].make_vcard()
        card["FN"] = body
        await self["xep_0054"].publish_vcard(card)
        return {}

    async def do_read(self, to):
        """Somebody's vCard."""
        card = (await self["xep_0054"].get_vcard(slixmpp.JID(to)))["vcard_temp"]
        return {"sender": to, "body": card["FN"], "photo": sha1(card["PHOTO"]["BINVAL"])}

    async def do_show(self, body):
        """A picture of oneself, in base64, for everybody: only such a one belongs into a vCard."""
        avatars, picture = self["xep_0084"], base64.b64decode(body)
        options = self["xep_0004"].make_form(ftype="submit")
        options.add_field("FORM_TYPE", "hidden", value="http://jabber.org/protocol/pubsub#publish-options")
        options.add_field("pubsub#access_model", value="open")
        photo = avatars.generate_id(picture)
        await avatars.publish_avatar(picture, options=options)
        await avatars.publish_avatar_metadata({"id": photo, "type": "image/png", "bytes": len(picture)}, options=options)
        return {"photo": photo}

    async def do_fetch(self, to, photo):
        """Somebody's picture."""
        found = await self["xep_0084"].retrieve_avatar(slixmpp.JID(to), photo)
        return {"sender": to, "photo": sha1(found["pubsub"]["items"]["item"]["avatar_data"]["value"])}

    async def do_copy(self):
        """Has copies made of what other clients of the account are sent, and send."""
        await self["xep_0280"].enable()
        return {}

    async def do_remember(self, to):
        """All that was said with somebody."""
        found = self["xep_0313"].iterate(with_jid=slixmpp.JID(to))
        return {"sender": to, "items": [m["mam_result"]["forwarded"]["stanza"]["body"] async for m in found]}

    async def do_call(self, to, body):
        iq = self.make_iq_set(ito=to)
        iq.append(ElementTree.fromstring(body))
        answer = await iq.send(timeout=10)
        return {"sender": str(answer["from"]), "type": answer["type"]}


def sha1(data):
    return hashlib.sha1(data).hexdigest() if data else ""


async def main():
    jid, password, host, port, authorities = sys.argv[1:6]
    agent = Agent(jid, password, authorities)
    agent.connect((host, int(port)))
    reader = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        await agent.do(command.pop("do"), command)
    agent.disconnect()


asyncio.get_event_loop().run_until_complete(main())
