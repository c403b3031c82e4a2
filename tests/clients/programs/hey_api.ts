// @hey-api/openapi-ts makes types and calls.
import { readFileSync } from "node:fs";
import { client } from "./hey/client.gen.js";
import { createReconciliation, createToken, getOrder, submitOrder, submitRelease } from "./hey/sdk.gen.js";
import type { ConcludedOrder, Order, Reconciliation, Release } from "./hey/types.gen.js";

type Story = {
  baseUrl: string; credentials: string; integrator: string;
  order: ConcludedOrder; odd: ConcludedOrder; other: ConcludedOrder; naive: ConcludedOrder; reconciliation: Reconciliation; release: Release;
};

const story = JSON.parse(readFileSync(process.argv[2], "utf8")) as Story;
client.setConfig({ baseUrl: story.baseUrl });
const tokens = await createToken({ body: { credentials: story.credentials }, throwOnError: true });
client.setConfig({
  auth: (auth) => (auth.name === "integrator" ? story.integrator : tokens.data.accessToken),
});

const submit = async (order: Order) => (await submitOrder({ body: order })).response?.status;
const read = async ({ marketplaceCode, channelName, accountId }: ConcludedOrder) =>
  (await getOrder({ query: { marketplaceCode, channelName, accountId } })).data;
const must = (held: boolean, what: string) => { if (!held) throw new Error(what); };

must(await submit(story.order) === 200, "order");
const opened = await createReconciliation({ body: story.reconciliation, throwOnError: true });
const released = await submitRelease({ body: { ...story.release, reconciliationId: opened.data.id } });
must(released.response?.ok === true, "release");
must(await submit(story.odd) === 200, "odd");
const naive = await submit({ ...story.naive, createdDate: "2025-05-09T12:00:00" }); // a text to it: nothing is checked
console.log(JSON.stringify({ order: await read(story.order), other: await read(story.other), naive }));
