// The record of runs as pages in a browser.
#pragma once

#include <map>
#include <memory>
#include <semaphore>
#include <string>

#include "access.h"
#include "http_server.h"
#include "watch.h"

namespace linnet::tools {

struct DashboardOptions {
  std::string database, address = "127.0.0.1", token;
  int port = 8090;  ///< 0: any free one
};

class Dashboard {
 public:
  /// Opens the record and the port. Throws linnet::Error that names what is in the way.
  explicit Dashboard(const DashboardOptions& options);

  /// "http://127.0.0.1:8090/", with the token if one is needed.
  const std::string& link() const { return link_; }
  void serve() { server_.serve(); }
  void stop();  ///< from any thread

 private:
  using Answer = void (Dashboard::*)(const httplib::Request&, httplib::Response&);

  void answer(const httplib::Request& request, httplib::Response& response);
  void runs(const httplib::Request& request, httplib::Response& response);
  void run(const httplib::Request& request, httplib::Response& response);
  void points(const httplib::Request& request, httplib::Response& response);
  void output(const httplib::Request& request, httplib::Response& response);
  void asset(const httplib::Request& request, httplib::Response& response);
  void tradeoff(const httplib::Request& request, httplib::Response& response);
  void events(const httplib::Request& request, httplib::Response& response);

  std::string database_, link_;
  Watch watch_;
  HttpServer server_;
  std::unique_ptr<Access> access_;
  const std::map<std::string, Answer> answers_;
  std::counting_semaphore<> readers_{8};  ///< bounds memory and open files, whoever asks
};

}  // namespace linnet::tools
