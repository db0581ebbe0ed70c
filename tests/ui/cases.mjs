// What people do with the page. Each case gets the house of run.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const row = (page, name) => page.locator(".long tbody tr", { has: page.getByRole("link", { name, exact: true }) });

export const cases = {
  async login(house) {
    const context = await house.open();
    const page = await context.newPage();
    const opened = await page.goto("/");
    assert.match(opened.headers()["content-security-policy"], /default-src 'self'.*frame-ancestors 'none'/);
    assert.doesNotMatch(opened.headers()["content-security-policy"], /unsafe/);
    await page.getByLabel("User").fill("ann");
    await page.getByLabel("Password").fill("no word of hers");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("user or password is wrong").waitFor();
    assert.equal(await page.getByRole("link", { name: "Records" }).count(), 0);
    await house.accessible(page);
    await house.picture(page, "login");
    // The browser tells of the 401 by itself, and of the one before anybody had logged in.
    assert.ok(house.complaints.every((text) => text.includes("401")), house.complaints.join());
    house.complaints.length = 0;
    await page.getByLabel("Password").fill("a secret word");
    await page.keyboard.press("Enter");
    await row(page, "web01").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Password").waitFor();
    assert.equal((await context.request.get("/v1/links")).status(), 401);
    assert.equal(await page.getByText("Your session has ended").count(), 0);
    // A session that ends by itself says so, and whoever logs in again is where they were.
    await page.goto("/#/reach");
    await page.getByLabel("User").fill("ann");
    await page.getByLabel("Password").fill("a secret word");
    await page.keyboard.press("Enter");
    await page.getByRole("img", { name: /pairs reach each other/ }).waitFor();
    await context.request.delete("/v1/session", { headers: { Origin: house.base } });
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByText("Your session has ended: log in again").waitFor();
    await page.getByLabel("User").fill("ann");
    await page.getByLabel("Password").fill("a secret word");
    await page.keyboard.press("Enter");
    await page.getByRole("img", { name: /pairs reach each other/ }).waitFor();
    assert.ok(house.complaints.every((text) => text.includes("401")), house.complaints.join());
    house.complaints.length = 0;
  },

  async overview(house) {
    const page = await house.enter("ann");
    await page.goto("/");
    const web01 = row(page, "web01");
    await web01.getByText("192.0.2.10").waitFor();
    await web01.getByText("tap_guest").waitFor();
    await web01.getByText("shop").waitFor();
    await house.accessible(page);
    await house.picture(page, "overview-light");
    await page.getByLabel("Theme").selectOption("dark");
    await house.accessible(page);
    await house.picture(page, "overview-dark");
    await page.getByLabel("Filter links").fill("host01");
    await web01.waitFor({ state: "detached" });
    assert.match(page.url(), /q=host01/);
    await page.reload();
    await row(page, "host01").waitFor();
    assert.equal(await row(page, "web01").count(), 0);
  },

  async link(house) {
    const page = await house.enter("bob");
    house.ask("order=1");
    await page.goto("/#/links/web01");
    await page.getByRole("heading", { name: "web01" }).waitFor();
    await page.getByText("dhcp").or(page.getByText("arp")).first().waitFor();
    await page.locator(".canvas canvas").first().waitFor();
    await page.locator(".bar-label", { hasText: "192.0.2.2 TCP 80" }).waitFor();
    await page.locator(".bar-label", { hasText: /^tcp$/i }).waitFor();
    await page.getByText(/exchanged with 192.0.2.2 TCP 80: .* since \d\d:\d\d:\d\d\.$/).waitFor();
    // The table of sizes is the API's lists, both ways.
    const lengths = page.locator("figure", { hasText: "Frames by size" });
    await lengths.getByText(/Most frames had .* octets: \d+ of \d+/).waitFor();
    await lengths.getByRole("button", { name: "Show as table" }).click();
    assert.equal(await lengths.locator("tbody tr").count(), 7);
    for (let same = false, tries = 0; !same; tries++) {
      const { sizes } = house.api("/v1/links/web01");
      const shown = await lengths.locator("tbody td").allTextContents();
      same = sizes.from_guest.every((n, i) => shown[2 * i] === String(n) && shown[2 * i + 1] === String(sizes.to_guest[i]));
      assert.ok(same || tries < 60, `${shown} is not ${JSON.stringify(sizes)}`);
      if (!same) await page.waitForTimeout(200);
    }
    await lengths.getByRole("button", { name: "Hide table" }).click();
    const rates = page.locator("figure", { hasText: "Rate of this link" });
    await rates.getByRole("button", { name: "Show as table" }).click();
    await rates.getByRole("columnheader", { name: "from guest" }).waitFor();
    await rates.getByText(/from the guest and/).waitFor();
    await page.locator(".records").getByText("request").first().waitFor();
    await house.accessible(page);
    // What was before the page was opened is in the plot's table, as the host kept it.
    let kept = house.api("/v1/links/web01/series");
    for (let tries = 0; !kept.from_guest.bytes.some((n) => n > 0) && tries < 60; tries++) {
      await page.waitForTimeout(500);
      kept = house.api("/v1/links/web01/series");
    }
    const clockAt = (ms) => page.evaluate((at) => new Date(at).toTimeString().slice(0, 8), ms);
    const heard = kept.from_guest.bytes.findLastIndex((n) => n > 0);
    const heardAt = await clockAt((kept.end - (kept.from_guest.bytes.length - 1 - heard) * kept.step) * 1000);
    await page.reload();
    await rates.getByRole("button", { name: "Show as table" }).click();
    const told = rates.locator("tbody tr", { has: page.getByRole("rowheader", { name: heardAt }) }).locator("td").first();
    await told.waitFor();
    assert.match(await told.textContent(), /[1-9].* [kMG]?bit.s$/);
    await page.getByLabel("Plots of the last").selectOption("5m");
    await rates.getByText(/in the last five minutes/).waitFor();
    assert.match(page.url(), /span=5m/);
    await rates.getByRole("button", { name: "Hide table" }).click();
    await house.picture(page, "link-light");
    await page.getByLabel("Theme").selectOption("dark");
    await house.accessible(page);
    await house.picture(page, "link-dark");
    // What is downloaded is what tshark reads.
    const [download] = await Promise.all([page.waitForEvent("download"),
      page.getByRole("link", { name: "Its kept frames" }).click()]);
    assert.equal(download.suggestedFilename(), "web01.pcapng");
    await download.saveAs(`${process.env.UI_DIR}/web01.pcapng`);
    assert.match(house.in("HOST", "tshark", "-r", `${process.env.UI_DIR}/web01.pcapng`, "-Y", "http.request", "-T", "fields", "-e", "http.request.uri"), /order=1/);
    await page.getByRole("button", { name: "Look again now" }).click();
    await page.getByText("The agent looks at it now").waitFor();
  },

  async reach(house) {
    const page = await house.enter("ann");
    await page.goto("/#/reach");
    await page.getByRole("img", { name: /^eno1: \d+ of \d+ pairs reach each other/ }).waitFor();
    const { cells } = house.api("/v1/reach").lowers[0];
    assert.equal(await page.locator("tbody tr").count(), cells.length);
    assert.equal(await page.locator(".matrix .cell").count(), cells.length);
    for (const [i, cell] of cells.entries()) {
      const texts = await page.locator("tbody tr").nth(i).locator("th, td").allTextContents();
      assert.deepEqual(texts, [cell.from, cell.to, cell.unicast, cell.broadcast, cell.why]);
    }
    await house.accessible(page);
    await house.picture(page, "reach-light");
    await page.getByLabel("Theme").selectOption("dark");
    await house.accessible(page);
    await house.picture(page, "reach-dark");
  },

  async records(house) {
    const page = await house.enter("ann");
    await page.goto("/#/records?type=alert");
    const list = page.locator(".records");
    await page.getByText("Live", { exact: true }).waitFor();
    // A match is on the screen when its frame was there; how long that takes is told, not judged.
    const asked = Date.now();
    house.ask("order=live");
    await list.getByText("/index.html?order=live").first().waitFor();
    console.log(`# on the screen ${Date.now() - asked} ms after curl was started`);
    await list.locator("summary").first().click();
    await list.getByText('"event_type": "alert"').waitFor();
    await house.accessible(page);
    await house.picture(page, "records-light");
    await page.getByRole("button", { name: "Pause" }).click();
    house.ask("order=paused");
    await page.getByText(/Paused, \d+ new record/).waitFor();
    assert.equal(await list.getByText("order=paused").count(), 0);
    await page.getByRole("button", { name: "Go on" }).click();
    await list.getByText("order=paused").first().waitFor();
    await page.getByLabel("Pattern").selectOption("order");
    await list.getByText("order=live").first().waitFor({ state: "detached" });
    await page.reload();
    await list.getByText("4711").first().waitFor();
    assert.equal(await list.getByText("order=live").count(), 0);
    await page.getByLabel("Search").fill("no such word");
    await page.getByText("0 records shown").waitFor();
    await page.getByLabel("Theme").selectOption("dark");
    await page.getByLabel("Search").fill("");
    await house.accessible(page);
    await house.picture(page, "records-dark");
  },

  // What a guest or its peer may put into a page: a name in DHCP, a request, an address.
  async hostile(house) {
    const page = await house.enter("bob");
    const mark = '<img src="/x" onerror="window.owned=1">';
    const seen = async (place) => {
      assert.equal(await page.evaluate(() => globalThis.owned), undefined);
      assert.equal(await page.locator("main img, main script, main iframe").count(), 0, place);
    };
    house.in("PEER", "curl", "-sS", "-g", "--max-time", "5", "-o", "/dev/null", `http://192.0.2.10/${mark.replaceAll(" ", "/")}`);
    house.ask(encodeURI("order=\u202edesrever"));
    house.in("GUEST", "sh", "-c", `busybox udhcpc -i eth0 -f -n -q -t 1 -T 1 -s /bin/true -x 'hostname:${mark}' || true`);
    await page.goto("/#/records?type=alert");
    await page.locator(".records").getByText('/<img/src="/x"').first().waitFor();
    await page.locator(".records summary").first().click();
    await seen("records");
    await page.goto("/#/");
    await row(page, "web01").waitFor();
    await seen("overview");
    await page.goto("/#/links/web01");
    await page.getByText("onerror").first().waitFor();
    await seen("link");
    for (const place of ["#/links/%3Cimg%20src=x%20onerror=owned=1%3E", "#/<img src=x onerror=owned=1>",
      "#/records?q=<img src=x onerror=owned=1>&link=<b>&type=<b>", "#/?q=<script>owned=1</script>"]) {
      await page.goto("/");
      await page.goto(`/${place}`);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await seen(place);
    }
    assert.ok(house.complaints.every((text) => text.includes("400")), house.complaints.join());
    house.complaints.length = 0;
  },

  // A page of another site makes the browser of somebody who is logged in ask, and puts this page into a frame.
  async foreign(house) {
    const page = await house.enter("bob");
    const other = createServer((request, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(`<iframe src="${house.base}/"></iframe><form method="post" action="${house.base}/v1/reload"><button>Win</button></form>`);
    });
    await new Promise((done) => other.listen(8099, "127.0.0.1", done));
    try {
      const before = house.generation();
      await page.goto("http://localhost:8099/");
      const framed = page.frames().find((frame) => frame !== page.mainFrame());
      assert.equal(await framed.locator("main").count(), 0);
      const tried = await page.evaluate(async (base) => {
        const results = [];
        for (const init of [{ method: "POST" }, { method: "POST", mode: "no-cors" }, { method: "DELETE" }])
          for (const path of ["/v1/reload", "/v1/links/web01/retry", "/v1/session"])
            results.push(await fetch(base + path, { credentials: "include", ...init }).then((r) => r.status, () => "refused"));
        return results;
      }, house.base);
      assert.ok(tried.every((status) => status === "refused" || status === 0), tried.join());
      const [answer] = await Promise.all([page.waitForResponse(/v1.reload/), page.getByRole("button", { name: "Win" }).click()]);
      assert.equal(answer.status(), 403);
      await page.goto("/");
      await row(page, "web01").waitFor();
      assert.equal(house.generation(), before);
    } finally {
      other.close();
    }
    house.complaints.length = 0;
  },

  async boot(house) {
    const page = await house.enter("bob");
    await page.goto("/#/boot");
    await page.getByRole("button", { name: "Show the script of shop" }).click();
    await page.getByText("set initiator-iqn iqn.2026-01.example.demo:shop").waitFor();
    await page.getByText("Nothing is wrong with it").waitFor();
    await house.accessible(page);
    // A boot as it goes on: the guest fetches its script.
    await page.getByText("did not boot lately").waitFor();
    house.in("GUEST", "curl", "-sSf", "-o", "/dev/null", `http://192.0.2.1:8080/ipxe/${house.macOf("web01")}`);
    await page.locator(".steps .done", { hasText: "script" }).waitFor();
    await house.picture(page, "boot-light");
    await page.getByLabel("What shop boots").selectOption("local");
    await page.getByText("shop boots as local from here on").waitFor();
    await page.locator(".records").getByText(/shop/).first().waitFor();
    await page.getByLabel("What shop boots").selectOption("run");
    await page.getByText("shop boots as run from here on").waitFor();
    const viewer = await house.enter("ann");
    await viewer.goto("/#/boot");
    await viewer.getByText("for admins").waitFor();
    await house.accessible(viewer);
  },

  async workshop(house) {
    const page = await house.enter("bob");
    house.ask("order=tried");
    await page.goto("/#/records?q=order%3Dtried");
    await page.locator(".records").getByText("order=tried").first().waitFor();
    await page.getByRole("link", { name: "Workshop" }).click();
    await page.getByRole("link", { name: "request" }).waitFor();
    await page.getByLabel("Regular expression").fill("order=(?<what>[a-z]+)");
    await page.getByLabel("Followed by").fill(" HTTP");
    await page.getByLabel("Groups").fill("what");
    await page.getByLabel("and a text of yours").fill("<b>order=mine HTTP</b>");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText(/^\d+ matches in \d+ of \d+ texts\./).waitFor();
    await page.locator("mark", { hasText: "order=tried" }).first().waitFor();
    await page.getByRole("row", { name: /^your text 3 <b>order=mine HTTP<.b>⏎? ?what mine/ }).waitFor();
    await page.getByText("PCRE2").last().waitFor();
    await house.accessible(page);
    await house.picture(page, "workshop-light");
    await page.getByLabel("Regular expression").fill("order=(");
    await page.keyboard.press("Enter");
    await page.getByText(/missing closing parenthesis/).waitFor();
    await page.getByLabel("Theme").selectOption("dark");
    await house.accessible(page);
    await house.picture(page, "workshop-dark");
    assert.ok(house.complaints.every((text) => text.includes("400")), house.complaints.join());
    house.complaints.length = 0;
    const viewer = await house.enter("ann");
    await viewer.goto("/#/workshop");
    await viewer.getByText("Operators and admins can try").waitFor();
  },

  async config(house) {
    const page = await house.enter("bob");
    await page.goto("/#/config");
    await page.getByText(/Nothing to do: \d+ links as the file says/).waitFor();
    await page.getByLabel(/An INI file/).fill("[agent]\n\n[set web]\nlower = eno1\nmode = brigde\ncount = 1\nname = web%02d\n");
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText(/unknown mode "brigde"/).waitFor();
    await page.getByRole("button", { name: "5", exact: true }).click();
    assert.equal(await page.getByLabel(/An INI file/).evaluate((area) =>
      area.value.slice(area.selectionStart, area.selectionEnd)), "mode = brigde");
    await house.accessible(page);
    // A good one is planned, too: what is in the kernel stays as it is.
    const text = readFileSync(process.env.INI, "utf8").replace(/count = \d+\nname = lab/, "count = 5\nname = lab");
    await page.getByLabel(/An INI file/).fill(text);
    await page.getByRole("button", { name: "Check" }).click();
    await page.getByText("No fault was found").waitFor();
    const would = page.getByRole("table", { name: "What applying this text would change" });
    await would.getByText("lab05").waitFor();
    assert.equal(await would.getByText("lab01").count(), 0);
    assert.ok(house.api("/v1/links").every(({ name }) => name !== "lab05"));
    await house.accessible(page);
    await house.picture(page, "config-light");
    await page.reload();
    // A look that is still under way would see the file as it is then.
    await page.getByText(/Nothing to do: \d+ links as the file says/).waitFor();
    // The file changes twice: what is applied is what was looked at, or nothing.
    house.setCount("lab%02d", 3);
    await page.getByRole("button", { name: "Look again" }).click();
    await page.getByText("lab03").waitFor();
    house.setCount("lab%02d", 4);
    await page.getByRole("button", { name: "Apply this plan" }).click();
    await page.getByText("Nothing was done").waitFor();
    await page.getByText("lab04").waitFor();
    await page.getByLabel("Theme").selectOption("dark");
    await house.accessible(page);
    await house.picture(page, "config-dark");
    await page.getByRole("button", { name: "Apply this plan" }).click();
    await page.getByText("Accepted").waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await row(page, "lab04").waitFor();
    await page.getByRole("link", { name: "Configuration" }).click();
    await page.getByText(/Nothing to do: \d+ links as the file says/).waitFor();
    // The refused plan, and what the old web worker had in hand when it went.
    assert.ok(house.complaints.every((text) => /409|503|ERR_/.test(text)), house.complaints.join());
    house.complaints.length = 0;
    const viewer = await house.enter("ann");
    await viewer.goto("/#/config");
    await viewer.getByText(/Nothing to do/).waitFor();
    assert.equal(await viewer.getByRole("button", { name: "Apply this plan" }).count(), 0);
    assert.equal(await viewer.getByRole("button", { name: "Check" }).count(), 0);
  },

  // However many tabs: one stream, and another tab takes it over.
  async tabs(house) {
    const page = await house.enter("ann");
    const streams = async () => (await (await page.context().request.get("/v1/health")).json()).events.streams;
    const before = await streams();
    const tabs = [page, await page.context().newPage(), await page.context().newPage()];
    for (const tab of tabs) {
      await tab.goto("/#/records");
      await tab.getByText("Live", { exact: true }).waitFor();
    }
    assert.equal(await streams(), before + 1);
    house.ask("order=tabs");
    for (const tab of tabs) await tab.locator(".records").getByText("order=tabs").first().waitFor();
    await tabs[0].close();
    house.ask("order=next");
    for (const tab of tabs.slice(1)) await tab.locator(".records").getByText("order=next").first().waitFor();
    house.ask("order=last");
    for (const tab of tabs.slice(1)) {
      await tab.locator(".records").getByText("order=last").first().waitFor();
      assert.equal(await tab.locator(".records summary", { hasText: "order=last" }).count(), 1);
    }
  },

  async phone(house) {
    const page = await house.enter("bob", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    for (const [name, place, ready] of [["overview", "", row(page, "web01")], ["link", "links/web01", page.locator(".canvas canvas").first()],
      ["reach", "reach", page.locator(".matrix")], ["records", "records", page.locator(".records li").first()],
      ["boot", "boot", page.getByText("Last boot")], ["config", "config", page.getByText(/Nothing to do/)],
      ["workshop", "workshop", page.getByText("Parked", { exact: true })]]) {
      await page.goto(`/#/${place}`);
      await ready.waitFor();
      // Not innerWidth: a phone shows all that there is, smaller.
      const wide = await page.evaluate(() => document.documentElement.scrollWidth) - page.viewportSize().width;
      assert.ok(wide <= 0, `${name} is ${wide} px wider than the screen`);
      await house.accessible(page);
      await house.picture(page, `${name}-phone`);
      const small = await page.locator(".matrix .end").evaluateAll((ends) => ends.filter((end) =>
        parseFloat(getComputedStyle(end).fontSize) * end.ownerSVGElement.getScreenCTM().a < 12).length);
      assert.equal(small, 0, `${small} names of the picture are too small to be read`);
    }
  },

  // The smallest phone, tablets and the widest screen: nothing is wider than the window, and rates are whole.
  async widths(house) {
    const page = await house.enter("bob");
    for (const width of [320, 768, 1024, 2560]) {
      await page.setViewportSize({ width, height: 900 });
      for (const [place, ready] of [["", row(page, "web01")], ["links/web01", page.locator(".canvas canvas").first()],
        ["reach", page.locator(".matrix")], ["records", page.locator(".records li").first()], ["boot", page.getByText("Last boot")],
        ["config", page.getByText(/Nothing to do/)], ["workshop", page.getByText("Parked", { exact: true })]]) {
        await page.goto(`/#/${place}`);
        await ready.waitFor();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth) - width;
        assert.ok(wide <= 0, `${place || "overview"} is ${wide} px wider than ${width}`);
        const cut = await page.locator(".long thead th, .long td.num").evaluateAll((cells) => cells.filter((cell) =>
          cell.offsetWidth && cell.scrollWidth > cell.clientWidth + 1).map((cell) => `${cell.textContent} ${cell.scrollWidth} of ${cell.clientWidth}`));
        assert.deepEqual(cut, [], `cut at ${width}`);
        await house.picture(page, `${place.replace("/", "-") || "overview"}-${width}`);
      }
    }
  },

  // Without a mouse: to the content, along the rows, into a link, and back.
  async keyboard(house) {
    const page = await house.enter("ann");
    await page.goto("/");
    await row(page, "web01").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.type), "search");
    await page.keyboard.type("web");
    const link = page.getByRole("link", { name: "web01", exact: true });
    for (let i = 0; i < 12 && !(await link.evaluate((node) => node === document.activeElement)); i++)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "web01" }).waitFor();
    await page.goBack();
    await row(page, "web01").waitFor();
    await page.getByRole("columnheader", { name: "Link", exact: true }).and(page.locator('[aria-sort="ascending"]')).waitFor();
    await page.getByRole("button", { name: "Matches" }).focus();
    await page.keyboard.press("Space");
    await page.getByRole("columnheader", { name: "Matches" }).and(page.locator('[aria-sort="descending"]')).waitFor();
  },

  // A thousand links, 200 ms away: the answer is made of the real one, the rest is the page's work.
  async many(house) {
    const page = await house.enter("ann");
    const real = await (await page.context().request.get("/v1/status")).json();
    const web01 = real.links.find(({ name }) => name === "web01");
    const began = Date.now();
    let asked = 0;
    await page.route(/\/v1\/status$/, async (route) => {
      asked++;
      await new Promise((done) => setTimeout(done, 200));
      await route.fulfill({ json: { ...real, links: Array.from({ length: 1000 }, (_, i) => ({ ...web01,
        name: `web${String(i + 1).padStart(4, "0")}`, matches: (i * 7919) % 1000 })) } });
    });
    await page.goto("/");
    await row(page, "web0001").waitFor();
    await page.getByText("1000 links").waitFor();
    assert.ok(await page.locator(".long tbody tr").count() < 60);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await row(page, "web1000").waitFor();
    assert.equal(await row(page, "web1000").getAttribute("aria-rowindex"), "1001");
    await page.getByRole("button", { name: "Matches" }).click();
    await page.evaluate(() => scrollTo(0, 0));
    await page.locator(".long tbody tr", { hasText: "999" }).waitFor();
    await house.accessible(page);
    await house.picture(page, "many-light");
    // No question before the answer to the one before it, and a pause between: five take four seconds.
    assert.ok(asked <= 2 + (Date.now() - began) / 1200, `${asked} questions in ${Date.now() - began} ms`);
    await page.getByLabel("Filter links").fill("web0777");
    await page.getByText("1 of 1000 links").waitFor();
  },

  // One of something is not some of it.
  async one(house) {
    const page = await house.enter("ann");
    const real = await (await page.context().request.get("/v1/status")).json();
    await page.route(/\/v1\/status$/, (route) => route.fulfill({ json: { ...real,
      links: real.links.map((link) => ({ ...link, from_guest: { frames: 1, bytes: 1000 } })) } }));
    await page.goto("/#/links/web01");
    await page.getByText("1 frame, 1.0 kB").waitFor();
  },

  // A name of the 15 characters that an interface can have, and its state, are whole in every window.
  async names(house) {
    const page = await house.enter("ann");
    const real = await (await page.context().request.get("/v1/status")).json();
    await page.route(/\/v1\/status$/, (route) => route.fulfill({ json: { ...real,
      links: real.links.map((link, i) => ({ ...link, name: `prod-database0${i}`, guest: "g".repeat(60),
        state: "lower-down" })) } }));
    await page.goto("/");
    for (const width of [360, 375, 768, 1024, 1280, 1920]) {
      await page.setViewportSize({ width, height: 800 });
      await page.locator(".long tbody th a").first().waitFor();
      const cut = await page.locator(".long tbody th").evaluateAll((cells) => cells.filter((th) => {
        const inside = th.getBoundingClientRect().right;
        return [th.querySelector("a"), th.querySelector(".state")].some((node) => node.getBoundingClientRect().right > inside);
      }).length);
      assert.equal(cut, 0, `${cut} names are cut off at ${width}`);
    }
  },

  // What is not there, or was long ago, is said to be.
  async absent(house) {
    const page = await house.enter("ann");
    await page.goto("/#/?q=no-such-word");
    await page.getByText("No link has all these words").waitFor();
    assert.equal(await page.locator(".long").isVisible(), false);
    await page.getByLabel("Filter links").fill("");
    await row(page, "web01").waitFor();
    await page.goto("/#/links/nowhere");
    await page.getByText("There is no link nowhere").waitFor();
    assert.equal(await page.getByText("Rate of this link").isVisible(), false);
    const { records } = await (await page.context().request.get("/v1/records?limit=1")).json();
    await page.route(/\/v1\/records/, (route) => route.fulfill({ json: { records: [
      { ...records[0], timestamp: "2001-02-03T12:13:14.123456789Z" }] } }));
    await page.route(/\/v1\/reach/, (route) => route.abort());
    await page.goto("/#/records");
    await page.getByText(/^02-0[234] \d\d:\d\d:14$/).waitFor();
    await page.goto("/#/reach");
    await page.getByText("Not to be had: the host cannot be reached").waitFor();
    assert.ok(house.complaints.every((text) => /404|ERR_/.test(text)), house.complaints.join());
    house.complaints.length = 0;
  },

  // Over a slow line everything comes all the same.
  async slow(house) {
    const page = await house.enter("ann");
    await page.route("**", async (route) => {
      await new Promise((done) => setTimeout(done, 200));
      await route.continue();
    });
    await page.goto("/#/links/web01");
    await page.locator(".canvas canvas").first().waitFor();
    await page.getByRole("link", { name: "Records", exact: true }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    house.ask("order=slow");
    await page.locator(".records").getByText("order=slow").first().waitFor();
  },
};
