// openapi-typescript makes types, openapi-fetch the calls.
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./koncili.js";

type Schemas = components["schemas"];
type Story = {
  baseUrl: string; credentials: string; integrator: string;
  order: Schemas["ConcludedOrder"]; odd: Schemas["ConcludedOrder"]; other: Schemas["ConcludedOrder"]; naive: Schemas["ConcludedOrder"];
  reconciliation: Schemas["Reconciliation"]; release: Schemas["Release"];
};

const story = JSON.parse(readFileSync(process.argv[2], "utf8")) as Story;
const client = createClient<paths>({ baseUrl: story.baseUrl });
const tokens = await client.POST("/public/api/auth/token", { body: { credentials: story.credentials } });
const { accessToken } = tokens.data as Schemas["TokenPair"];
client.use({
  onRequest({ request }) {
    request.headers.set("gumgaToken", accessToken);
    request.headers.set("integrator", story.integrator);
    return request;
  },
});

const submit = async (order: Schemas["Order"]) => (await client.POST("/order", { body: order })).response.status;
const read = async ({ marketplaceCode, channelName, accountId }: Schemas["ConcludedOrder"]) =>
  (await client.GET("/order", { params: { query: { marketplaceCode, channelName, accountId } } })).data;
const must = (held: boolean, what: string) => { if (!held) throw new Error(what); };

must(await submit(story.order) === 200, "order");
const opened = await client.POST("/reconciliation", { body: story.reconciliation });
const released = await client.POST("/reconciliation/release", { body: { ...story.release, reconciliationId: opened.data!.id } });
must(released.response.ok, "release");
must(await submit(story.odd) === 200, "odd");
const naive = await submit({ ...story.naive, createdDate: "2025-05-09T12:00:00" }); // a text to it: nothing is checked
console.log(JSON.stringify({ order: await read(story.order), other: await read(story.other), naive }));
