// train_cli as a real process: its flags, its exit codes, and what is left when it is killed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "linnet/random.h"
#include "linnet/training/checkpoint.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tiny_run.h"

namespace linnet {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

struct Result {
  int code = 0;  ///< exit status, or minus the signal that ended it
  std::string out, err;
};

class TrainCli : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(program_)) GTEST_SKIP() << program_ << " was not built";
    if (run({"--help"}).code == 127) GTEST_SKIP() << program_ << " cannot be started from here";
    tiny_run::write_data(folder_.file("data"));
    training::Recipe recipe = tiny_run::recipe(folder_.file("data"));
    recipe.checkpoint_every = 2;
    recipe.tracking.database = "none";  // the record has tests of its own
    std::ofstream(recipe_) << training::to_json(recipe);
  }

  std::string out(const std::string& name) const { return folder_.file(name); }

  Words arguments(const std::string& name, const Words& more = {}) const {
    Words words{"--recipe", recipe_, "--out", out(name)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  /// Starts the program; files larger than `file_limit` bytes cannot be written if that is not 0.
  pid_t start(const Words& words, rlim_t file_limit = 0) const {
    std::vector<char*> pointers{const_cast<char*>(program_.c_str())};
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    const std::string out_path = folder_.file("stdout"), err_path = folder_.file("stderr");
    const pid_t child = fork();
    if (child == 0) {
      dup2(open(out_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
      dup2(open(err_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
      if (file_limit > 0) {
        const rlimit limit{file_limit, file_limit};
        setrlimit(RLIMIT_FSIZE, &limit);
        std::signal(SIGXFSZ, SIG_IGN);
      }
      execv(program_.c_str(), pointers.data());
      _exit(127);
    }
    return child;
  }

  Result finish(pid_t child) const {
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_file(folder_.file("stdout")),
            read_file(folder_.file("stderr"))};
  }

  Result run(const Words& words, rlim_t file_limit = 0) const { return finish(start(words, file_limit)); }

  void wait_for(const std::string& path) const {
    for (int i = 0; i < 6000 && !std::filesystem::exists(path); ++i) std::this_thread::sleep_for(5ms);
  }

  std::string model(const std::string& name) const { return read_file(out(name) + "/model.safetensors"); }

  void expect_same_runs(const std::string& a, const std::string& b) const {
    EXPECT_FALSE(model(a).empty());
    EXPECT_TRUE(model(a) == model(b)) << a << " and " << b;
    EXPECT_EQ(tiny_run::metrics_of(out(a)), tiny_run::metrics_of(out(b)));
  }

  const TemporaryFolder folder_;
  const std::string program_ = std::string(LINNET_BINARY_DIR) + "/train_cli";
  const std::string recipe_ = folder_.file("recipe.json");
};

void expect_one_line(const std::string& text, const std::string& part) {
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(TrainCli, HelpListsEveryFieldWithItsDefault) {
  const Result result = run({"--help"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.err, "");
  for (const training::RecipeField& field : training::recipe_fields()) {
    EXPECT_NE(result.out.find("--" + field.name + " "), std::string::npos) << field.name;
    EXPECT_NE(result.out.find("[" + field.fallback + "]"), std::string::npos) << field.name;
  }
  EXPECT_NE(result.out.find("130"), std::string::npos);
}

TEST_F(TrainCli, WrongUseEndsWithTwoAndOneLine) {
  struct Case {
    Words words;
    std::string part;
  };
  std::ofstream(folder_.file("broken.json")) << R"({"optimiser": {"lrr": 1}})";
  for (const auto& [words, part] : std::vector<Case>{
           {{}, "--recipe"},
           {{"--recipe", recipe_}, "--out"},
           {{"--recipe", folder_.file("none.json"), "--out", out("a")}, "none.json"},
           {{"--recipe", folder_.file("broken.json"), "--out", out("a")}, "nearest known one is 'optimiser.lr'"},
           {arguments("a", {"--optimiser.lrr", "1"}), "nearest known one is 'optimiser.lr'"},
           {arguments("a", {"--optimiser.lrr=1"}), "nearest known one is 'optimiser.lr'"},
           {arguments("a", {"--optimiser.lr", "fast"}), "'optimiser.lr' must be a number > 0, found \"fast\""},
           {arguments("a", {"--seed", "-1"}), "'seed'"},
           {arguments("a", {"--epochs"}), "--epochs"},
           {arguments("a", {"--time-limit", "soon"}), "found 'soon'"},
           {arguments("a", {"--time-limit", "2x"}), "found '2x'"},
           {arguments("a", {"--time-limit", "0"}), "found '0'"},
           {arguments("a", {"loose"}), "'loose'"}}) {
    const Result result = run(words);
    EXPECT_EQ(result.code, 2) << result.err;
    expect_one_line(result.err, part);
    EXPECT_FALSE(std::filesystem::exists(out("a")));
  }
}

TEST_F(TrainCli, FailuresEndWithOneAndOneLine) {
  Result result = run(arguments("a", {"--data.train", out("nowhere")}));
  EXPECT_EQ(result.code, 1);
  expect_one_line(result.err, out("nowhere"));
  result = run(arguments("a", {"--model.name", "mobilenet_v9"}));
  EXPECT_EQ(result.code, 1);
  expect_one_line(result.err, "mobilenet_v9");
  std::ofstream(out("file")) << "no folder";
  result = run(arguments("file/run"));
  EXPECT_EQ(result.code, 1);
  expect_one_line(result.err, out("file/run"));
}

TEST_F(TrainCli, FlagsOverrideTheRecipeAndThreadsChangeNothing) {
  EXPECT_EQ(run(arguments("one", {"--threads", "1", "--seed", "7", "--epochs", "1"})).code, 0);
  EXPECT_EQ(run(arguments("two", {"--threads", "2", "--seed=7", "--epochs", "1", "--loader_threads", "2"})).code, 0);
  expect_same_runs("one", "two");
  const training::Recipe recipe = training::load_recipe(out("one") + "/recipe.json");
  EXPECT_EQ(recipe.seed, 7);
  EXPECT_EQ(recipe.epochs, 1);
  EXPECT_EQ(recipe.batch, 16);
  EXPECT_EQ(run(arguments("three", {"--steps", "3"})).code, 0);
  EXPECT_EQ(tiny_run::metrics_of(out("three")).back().at("step"), 3);
}

TEST_F(TrainCli, KeepsARunUnlessTold) {
  ASSERT_EQ(run(arguments("run", {"--steps", "3"})).code, 0);
  const std::string before = model("run");
  Result result = run(arguments("run", {"--steps", "3"}));
  EXPECT_EQ(result.code, 2);
  expect_one_line(result.err, "--resume");
  result = run(arguments("run", {"--resume", "--epochs", "4"}));
  EXPECT_EQ(result.code, 2);
  expect_one_line(result.err, "'epochs' is 4, but the run began with 3");
  EXPECT_TRUE(model("run") == before);
  EXPECT_EQ(run(arguments("run", {"--force", "--steps", "3", "--seed", "2"})).code, 0);
  EXPECT_FALSE(model("run") == before);
}

TEST_F(TrainCli, ADryRunWritesNothing) {
  const Result result = run(arguments("dry", {"--dry-run", "--batch", "32"}));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  for (const char* part : {"\"batch\": 32", "input [32, 16, 16, 1]", "memory: ", "time: "})
    EXPECT_NE(result.out.find(part), std::string::npos) << part << "\n" << result.out;
  EXPECT_FALSE(std::filesystem::exists(out("dry")));
  EXPECT_EQ(run({"--recipe", recipe_, "--dry-run"}).code, 0);
}

TEST_F(TrainCli, ATimeLimitIsTold) {
  const Result result = run(arguments("limited", {"--time-limit", "0.001s"}));
  EXPECT_EQ(result.code, 124);
  expect_one_line(result.err, "the time limit is reached after step 1");
  EXPECT_EQ(run(arguments("limited", {"--resume", "--time-limit", "1h30m", "--steps", "2"})).code, 0);
}

// Killed 20 times and more, at moments that a seed decides; not one bit differs.
TEST_F(TrainCli, ARunThatWasKilledEndsInTheSameBits) {
  training::Recipe recipe = training::load_recipe(recipe_);
  ASSERT_GT(recipe.ema.decay, 0);
  tiny_run::augment(recipe);
  recipe.model.drop_path = 0.1;
  recipe.keep_best = 2;
  std::ofstream(recipe_) << training::to_json(recipe);

  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(run(arguments("straight")).code, 0);
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  constexpr int enough_kills = 20, steps_per_epoch = 12;
  int kills = 0, within_epochs = 0;
  for (std::uint64_t round = 0; kills < enough_kills; ++round) {
    const std::string name = "killed " + std::to_string(round);
    const CounterRandom random(round, 0);
    for (std::uint64_t attempt = 0;; ++attempt) {
      ASSERT_LT(attempt, 100u);
      const std::string threads = attempt % 2 == 0 ? "1" : "2";
      const pid_t child = start(arguments(name, {"--resume", "--threads", threads, "--loader_threads", threads}));
      // The later attempts are given more time, so that the run comes to its end on a slow machine too.
      const double share = static_cast<double>(random.uniform(attempt)) * (0.6 + 0.1 * static_cast<double>(attempt));
      std::this_thread::sleep_for(share * whole);
      kill(child, SIGKILL);
      const Result result = finish(child);
      if (result.code == -SIGKILL) {
        ++kills;
        const std::string checkpoint = out(name) + "/checkpoint.safetensors";
        if (std::filesystem::exists(checkpoint))
          within_epochs += training::load_checkpoint(checkpoint).step % steps_per_epoch != 0;
        continue;
      }
      ASSERT_EQ(result.code, 0) << result.err;
      break;
    }
    expect_same_runs("straight", name);
    for (const auto& entry : std::filesystem::directory_iterator(out(name)))
      EXPECT_EQ(entry.path().filename().string().find(".tmp-"), std::string::npos) << entry.path();
  }
  std::cout << kills << " kills survived, " << within_epochs << " within an epoch\n";
  EXPECT_GT(within_epochs, 0);
}

// As a user would who has neither the data nor the weights.
TEST_F(TrainCli, EveryShippedRecipeRunsDry) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(LINNET_TEST_DATA_DIR) + "/../../recipes")) {
    if (entry.path().extension() != ".json") continue;
    ++found;
    const Result result = run({"--recipe", entry.path().string(), "--dry-run", "--batch", "2", "--threads", "1"});
    EXPECT_EQ(result.code, 0) << entry.path() << result.err;
    for (const char* part : {"\"source\": \"", "parameters", "memory: ", "time: "})
      EXPECT_NE(result.out.find(part), std::string::npos) << entry.path() << part;
  }
  std::cout << found << " recipes\n";
  EXPECT_GE(found, 14);
}

TEST_F(TrainCli, ShortNamesOfFieldsDoTheSame) {
  ASSERT_EQ(run(arguments("short", {"--subset", "0.5", "--val-split", "0.25", "--steps", "1"})).code, 0);
  const training::Recipe recipe = training::load_recipe(out("short") + "/recipe.json");
  EXPECT_EQ(recipe.data.subset, 0.5);
  EXPECT_EQ(recipe.data.val_split, 0.25);
  ASSERT_EQ(run(arguments("tuned",
                          {"--weights", out("short") + "/model.safetensors", "--freeze", "blocks.0.*", "--steps", "1"}))
                .code,
            0);
}

TEST_F(TrainCli, AnInterruptLeavesACheckpointToGoOnFrom) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string name = "run " + std::to_string(signal);
    // Long enough not to be over before the signal comes.
    const Words more{"--epochs", "200", "--validate_every", "200", "--checkpoint_every", "1"};
    const pid_t child = start(arguments(name, more));
    wait_for(out(name) + "/checkpoint.safetensors");
    kill(child, signal);
    const Result result = finish(child);
    EXPECT_EQ(result.code, 130);
    expect_one_line(result.err, "--resume");
    const training::Integer step = training::load_checkpoint(out(name) + "/checkpoint.safetensors").step;
    EXPECT_GT(step, 0);
    Words again = more;
    again.insert(again.end(), {"--resume", "--steps", std::to_string(step + 3)});
    EXPECT_EQ(run(arguments(name, again)).code, 0);
    again = more;
    again.insert(again.end(), {"--steps", std::to_string(step + 3)});
    EXPECT_EQ(run(arguments(name + " straight", again)).code, 0);
    expect_same_runs(name, name + " straight");
  }
}

// A full disk, played by a limit on the size of files.
TEST_F(TrainCli, AFailedCheckpointKeepsTheLastGoodOne) {
  ASSERT_EQ(run(arguments("straight")).code, 0);
  ASSERT_EQ(run(arguments("full", {"--steps", "6"})).code, 0);
  const std::string checkpoint = out("full") + "/checkpoint.safetensors";
  const std::string good = read_file(checkpoint);
  const Result result = run(arguments("full", {"--resume"}), static_cast<rlim_t>(good.size() / 2));
  EXPECT_EQ(result.code, 1);
  expect_one_line(result.err, "safetensors");
  EXPECT_TRUE(read_file(checkpoint) == good);
  for (const auto& entry : std::filesystem::directory_iterator(out("full")))
    EXPECT_EQ(entry.path().filename().string().find(".tmp-"), std::string::npos) << entry.path();
  EXPECT_EQ(run(arguments("full", {"--resume"})).code, 0);
  EXPECT_EQ(tiny_run::metrics_of(out("full")).back(), tiny_run::metrics_of(out("straight")).back());
}

}  // namespace
}  // namespace linnet
