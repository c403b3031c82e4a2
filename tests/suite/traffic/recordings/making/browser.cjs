// Makes the same calls in Chromium, recorded by Playwright, by chrome-har from DevTools' events, or as DevTools exports them.
//   node browser.cjs playwright-zip|playwright-omit|playwright-attach|chrome-har BASE_URL TO
const fs = require("fs");
const path = require("path");
const calls = JSON.parse(fs.readFileSync(path.join(__dirname, "calls.json"), "utf8"));
const need = require("module").createRequire(path.join(process.cwd(), "x.js"));
const { chromium } = need("playwright-core");

const inPage = async ({ base, calls }) => {
  const json = { "content-type": "application/json" };
  const credentials = btoa(`${calls.email}:${calls.password}`);
  const made = await fetch(`${base}/public/api/auth/token`, { method: "POST", headers: json, body: JSON.stringify({ credentials }) });
  const { accessToken } = await made.json();
  const headers = { ...json, gumgaToken: accessToken, integrator: calls.integrator };
  const body = calls.orders.map((order) => JSON.stringify(order));
  await (await fetch(`${base}/order`, { method: "POST", headers, body: body[0] })).text();
  await (await fetch(`${base}/order`, { method: "POST", headers, body: new Blob([body[1]]) })).text();
  const { marketplaceCode, channelName, accountId } = calls.orders[0];
  await (await fetch(`${base}/order?${new URLSearchParams({ marketplaceCode, channelName, accountId })}`, { headers })).text();
  await fetch("http://127.0.0.1:9/order", { headers }).catch(() => {});
  navigator.sendBeacon(`${base}/order`, new Blob([body[1]], { type: "text/plain" }));
  await new Promise((done) => setTimeout(done, 300));
};

(async () => {
  const [tool, base, to] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
  const content = { "playwright-zip": "attach", "playwright-attach": "attach", "playwright-omit": "omit" }[tool];
  const context = await browser.newContext(content ? { recordHar: { path: to, content, urlFilter: /order|token/ } } : {});
  const page = await context.newPage();
  const events = [];
  if (tool === "chrome-har") {
    const session = await context.newCDPSession(page);
    for (const domain of ["Page", "Network"]) await session.send(`${domain}.enable`);

    for (const method of ["Page.frameStartedLoading", "Page.frameAttached", "Page.loadEventFired", "Page.domContentEventFired",
      "Network.requestWillBeSent", "Network.requestServedFromCache", "Network.dataReceived", "Network.responseReceived",
      "Network.responseReceivedExtraInfo", "Network.requestWillBeSentExtraInfo", "Network.resourceChangedPriority",
      "Network.loadingFinished", "Network.loadingFailed"])
      session.on(method, (params) => events.push({ method, params }));
  }
  await page.goto(`${base}/my-accounts`);
  await page.evaluate(inPage, { base, calls });
  await context.close();
  await browser.close();
  if (tool === "chrome-har") fs.writeFileSync(to, JSON.stringify(need("chrome-har").harFromMessages(events), null, 1));
  process.exit(0);
})();
