// Debian's chromium, until it is killed; its address for run.mjs is printed. --no-sandbox: root has none.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.UI_MODULES}/`);
const { chromium } = require("playwright-core");
const server = await chromium.launchServer({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
  env: { ...process.env, HOME: process.env.UI_DIR },
});
console.log(server.wsEndpoint());
