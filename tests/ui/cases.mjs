// What people do with the page. Each case gets the house of run.mjs.
import assert from "node:assert/strict";

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
};
