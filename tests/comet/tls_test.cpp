// The server's certificate is verified before anything is sent.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/comet/stub.h"
#include "tests/error_message.h"
#include "tests/support/temporary_folder.h"

namespace linnet::tracking {
namespace {

using test::message_of;

#ifdef CPPHTTPLIB_OPENSSL_SUPPORT

class CometTls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (run_command("openssl version").exit_code != 0) GTEST_SKIP() << "needs the program openssl";
    Tracker tracker(path_, {.name = "run", .system_seconds = 0});
    tracker.metric("loss", 1, {.step = 1});
    tracker.finish("finished");
  }

  /// Uploads to a server whose certificate is for this name; returns what came of it.
  CometUploader::Status upload_to_server_of(const std::string& name, double seconds) {
    certificate_ = folder_.file("certificate.pem");
    const std::string key = folder_.file("key.pem");
    run_command("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=" + name +
                " -keyout " + key + " -out " + certificate_);
    if (trusted_) setenv("SSL_CERT_FILE", certificate_.c_str(), 1);
    httplib::SSLServer server(certificate_.c_str(), key.c_str());
    const auto answer = [this](const httplib::Request&, httplib::Response& response) {
      ++requests_;
      response.set_content(R"({"runId": "r", "msg": "OK", "code": 200})", "application/json");
    };
    server.Get(".*", answer).Post(".*", answer);
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread thread([&server] { server.listen_after_bind(); });
    CometUploader::Status status;
    {
      CometUploader uploader(path_, "run", stub_settings("https://127.0.0.1:" + std::to_string(port)), quick_pace());
      status = uploader.wait(seconds);
    }
    server.stop();
    thread.join();
    return status;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.file("linnet.db");
  std::string certificate_;
  bool trusted_ = false;
  std::atomic<int> requests_ = 0;
};

TEST_F(CometTls, AnUnknownCertificateIsRefused) {
  const CometUploader::Status status = upload_to_server_of("IP:127.0.0.1", 1);
  EXPECT_FALSE(status.complete);
  EXPECT_NE(status.problem.find("certificate"), std::string::npos) << status.problem;
  EXPECT_EQ(requests_, 0);
}

TEST_F(CometTls, ACertificateOfAnotherHostIsRefused) {
  trusted_ = true;
  const CometUploader::Status status = upload_to_server_of("DNS:other.example", 1);
  EXPECT_FALSE(status.complete);
  EXPECT_NE(status.problem.find("certificate"), std::string::npos) << status.problem;
  EXPECT_EQ(requests_, 0);
}

TEST_F(CometTls, ATrustedOneIsTaken) {
  trusted_ = true;
  const CometUploader::Status status = upload_to_server_of("IP:127.0.0.1", 60);
  EXPECT_TRUE(status.complete) << status.problem;
  EXPECT_GT(requests_, 3);
}
#else

TEST(CometTls, ABuildWithoutOpenSslSaysSo) {
  const TemporaryFolder folder;
  const std::string path = folder.file("linnet.db");
  const Tracker tracker(path, {.name = "run", .system_seconds = 0});
  EXPECT_NE(message_of([&] { CometUploader(path, "run", stub_settings("https://host")); }).find("OpenSSL"),
            std::string::npos);
}

#endif

}  // namespace
}  // namespace linnet::tracking
