// The pages in a real browser.
#include <gtest/gtest.h>

#include <cstdlib>

#include "dashboard_fixture.h"
#include "tests/support/tiny_run.h"
#include "web_driver.h"

namespace linnet {
namespace {

class DashboardBrowser : public DashboardTest {
 protected:
  void SetUp() override {
    for (const std::string program : {"chromium", "chromedriver"})
      if (run_command("command -v " + program + " > /dev/null").exit_code != 0)
        GTEST_SKIP() << program << " is not installed";
    DashboardTest::SetUp();
    if (!IsSkipped()) browser_ = std::make_unique<WebDriver>();
  }

  void open(const std::string& path) {
    browser_->open(link_.substr(0, link_.find('/', 7)) + path);
    EXPECT_TRUE(
        browser_->wait_for("document.querySelector('#live').textContent === 'live' && "
                           "document.querySelector('tbody tr')"))
        << path;
  }
  /// Points that are drawn of the first line of a chart.
  std::string points(const std::string& title) const {
    return "(Chart.getChart([...document.querySelectorAll('figure')].find(f => f.textContent.startsWith('" + title +
           "'))?.querySelector('canvas'))?.data.datasets[0]?.data.length ?? 0)";
  }
  void expect_no_complaints(const std::string& where) {
    for (const std::string& complaint : browser_->complaints()) ADD_FAILURE() << where << ": " << complaint;
  }

  std::unique_ptr<WebDriver> browser_;
};

TEST_F(DashboardBrowser, EveryPageIsShownInEveryLightAndWidth) {
  struct View {
    const char* name;
    int width, height;
    bool dark;
  };
  const char* pictures = std::getenv("LINNET_SCREENSHOTS");
  const std::string key = run_named("first")["key"];
  std::vector<View> views = {{"light", 1440, 900, false}, {"phone", 390, 844, true}};
  if (pictures != nullptr) views.insert(views.end(), {{"dark", 1440, 900, true}, {"phone-light", 390, 844, false}});
  for (const View& view : views) {
    browser_->set_view(view.width, view.height, view.dark);
    for (const auto& [name, path] :
         {std::pair{"runs", std::string("/")}, {"run", "/run?key=" + key}, {"tradeoff", "/tradeoff"}}) {
      const std::string where = std::string(name) + "-" + view.name;
      open(path);
      EXPECT_TRUE(browser_->wait_for("Object.keys(Chart.instances).length > 0")) << where;
      EXPECT_EQ(browser_->run("return document.documentElement.scrollWidth"), view.width) << where;
      EXPECT_EQ(browser_->run("return document.querySelector('#hint').textContent"), "") << where;
      // Buttons and fields are named for those who do not see them.
      EXPECT_EQ(browser_->run("return [...document.querySelectorAll('button, select, input, canvas')].filter(e => "
                              "!e.ariaLabel && !e.textContent.trim() && !e.labels?.length).map(e => e.outerHTML)"),
                nlohmann::json::array())
          << where;
      if (pictures != nullptr) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        browser_->picture(std::string(pictures) + "/" + where + ".png", view.width);
      }
      expect_no_complaints(where);
    }
  }
  // What a record says is text, whatever it looks like.
  open("/");
  EXPECT_EQ(browser_->run("return document.querySelectorAll('#runs i').length"), 0);
  EXPECT_TRUE(browser_->wait_for("document.querySelector('#runs').textContent.includes('third <i>')"));
}

TEST_F(DashboardBrowser, RunsAreFilteredSortedAndCompared) {
  const auto rows = [](int count) {
    return "document.querySelectorAll('#runs tbody tr').length === " + std::to_string(count);
  };
  browser_->set_view(1200, 900, false);
  open("/");
  EXPECT_TRUE(browser_->wait_for(rows(3)));  // benchmarks are another kind
  EXPECT_TRUE(browser_->wait_for(points("train/loss") + " > 100"));
  browser_->press("/");
  for (const char c : std::string("lr>0.15")) browser_->press(std::string(1, c));
  EXPECT_TRUE(browser_->wait_for(rows(2)));
  EXPECT_TRUE(browser_->wait_for("location.search.includes('filter=lr')"));
  open("/?filter=status:failed");
  EXPECT_TRUE(browser_->wait_for(rows(1)));
  EXPECT_EQ(browser_->run("return document.querySelector('#runs tbody a').textContent"), "third <i>");

  open("/?runs=");
  EXPECT_TRUE(browser_->wait_for("document.querySelector('#hint').textContent.startsWith('Tick runs')"));
  browser_->run("document.querySelectorAll('#runs tbody input')[2].click()");
  browser_->run("document.querySelectorAll('#runs tbody input')[1].click()");
  EXPECT_TRUE(browser_->wait_for("!document.querySelector('#compare').hidden"));
  EXPECT_NE(browser_->run("return document.querySelector('#compare table').textContent")
                .get<std::string>()
                .find("optimiser.lr"),
            std::string::npos);
  EXPECT_TRUE(browser_->wait_for("Chart.instances[0].data.datasets.length === 2"));
  browser_->run("const s = document.querySelector('#smoothing'); s.value = 0.5; s.dispatchEvent(new Event('input'))");
  EXPECT_TRUE(browser_->wait_for("Chart.instances[0].data.datasets.length === 4"));  // what was logged stays behind it
  browser_->run("document.querySelectorAll('#view input[type=checkbox]').forEach(box => box.click())");
  EXPECT_TRUE(browser_->wait_for("Chart.instances[0].options.scales.x.type === 'logarithmic'"));
  for (const std::string x : {"epoch", "time"}) {
    browser_->run("const x = document.querySelector('#view select'); x.value = '" + x +
                  "'; x.dispatchEvent(new Event('change'))");
    EXPECT_TRUE(browser_->wait_for("Chart.instances[0].options.scales.x.title.text.startsWith('" + x + "')"));
  }
  // The address holds it all.
  const std::string address = browser_->run("return location.pathname + location.search");
  open(address);
  EXPECT_TRUE(browser_->wait_for("Chart.instances[0]?.data.datasets.length === 4"));
  EXPECT_EQ(browser_->run("return document.querySelector('#view select').value"), "time");

  // By keyboard: the heading is a button.
  browser_->run("[...document.querySelectorAll('#runs th button')].find(b => b.textContent === 'name').focus()");
  browser_->press("\ue007");
  EXPECT_TRUE(browser_->wait_for("document.querySelector('#runs th[aria-sort]').textContent.startsWith('name')"));
  EXPECT_EQ(browser_->run("return document.querySelector('#runs tbody a').textContent"), "first");
  EXPECT_TRUE(browser_->wait_for("document.activeElement.textContent.startsWith('name')"));  // and keeps the focus
  expect_no_complaints("compare");
}

TEST_F(DashboardBrowser, HistogramsAreFoundByTheirNames) {
  open("/run?key=" + run_named("first")["key"].get<std::string>());
  const std::string figures = "document.querySelectorAll('#histograms figure').length";
  EXPECT_TRUE(browser_->wait_for(figures + " === 12"));
  EXPECT_EQ(browser_->run("return document.querySelector('#histograms .soft').textContent"),
            "12 of 21: filter to see others");
  browser_->run(
      "const filter = document.querySelector('#histograms input'); filter.value = 'BLOCKS.19';"
      "filter.dispatchEvent(new Event('input'))");
  EXPECT_TRUE(browser_->wait_for(figures + " === 1"));
  EXPECT_GT(browser_->run("return " + points("blocks.19.weight")), 0);
  expect_no_complaints("histograms");
}

TEST_F(DashboardBrowser, CurvesGrowWhileATrainingRuns) {
  const std::string train = std::string(LINNET_BINARY_DIR) + "/train_cli";
  if (const std::string reason = why_not_runnable(train); !reason.empty()) GTEST_SKIP() << reason;
  tiny_run::write_data(folder_.file("data"));
  training::Recipe recipe = tiny_run::recipe(folder_.file("data"));
  recipe.epochs = 100000;
  recipe.tracking.database = database_;
  recipe.tracking.name = "live";
  std::ofstream(folder_.file("recipe.json")) << training::to_json(recipe);
  RunningProgram training({train, "--recipe", folder_.file("recipe.json"), "--out", folder_.file("live")});
  browser_->set_view(1200, 900, false);
  for (int i = 0; i < 500 && series_of("live", "train/loss") == "none"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  open("/?filter=live");
  EXPECT_TRUE(browser_->wait_for(points("train/loss") + " > 5"));
  const int before = browser_->run("return " + points("train/loss"));
  EXPECT_TRUE(browser_->wait_for(points("train/loss") + " > " + std::to_string(before + 5)));
  EXPECT_TRUE(browser_->wait_for("document.querySelector('#runs td.running')"));
  training.end(SIGINT);
  EXPECT_TRUE(browser_->wait_for("document.querySelector('#runs td.stopped')"));
  open("/run?key=" + run_named("live")["key"].get<std::string>());
  EXPECT_TRUE(browser_->wait_for(points("loss") + " > " + std::to_string(before)));
  expect_no_complaints("live");
}

}  // namespace
}  // namespace linnet
