// linnet info [FILE]: what is in a model file, or what this CPU is.
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "linnet/cpu.h"
#include "linnet/model.h"
#include "linnet/summary.h"
#include "model_source.h"
#include "text.h"

namespace linnet::tools {
namespace {

struct InfoOptions {
  std::string file;
  bool json = false;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void print_cpu(bool json) {
  const CpuInfo& cpu = cpu_info();
  std::vector<std::string> isas;
  for (const Isa isa : supported_isas()) isas.emplace_back(to_string(isa));
  if (json) {
    const nlohmann::json report = {{"cpu", cpu.name},
                                   {"logical_cores", cpu.logical_cores},
                                   {"physical_cores", cpu.physical_cores},
                                   {"big_cores", cpu.big_cores},
                                   {"usable_cores", cpu.usable_cores},
                                   {"l1d_bytes", cpu.l1d_bytes},
                                   {"l2_bytes", cpu.l2_bytes},
                                   {"l3_bytes", cpu.l3_bytes},
                                   {"isas", isas},
                                   {"isa", to_string(selected_isa())}};
    std::printf("%s\n", report.dump(1).c_str());
    return;
  }
  const auto cache = [](std::size_t bytes) {
    return bytes == 0 ? std::string("unknown") : short_bytes(static_cast<Index>(bytes));
  };
  std::printf("CPU                %s\n", cpu.name.c_str());
  std::printf("cores              %d logical, %d physical, %d big, %d usable at once\n", cpu.logical_cores,
              cpu.physical_cores, cpu.big_cores, cpu.usable_cores);
  std::printf("caches             L1d %s, L2 %s, L3 %s\n", cache(cpu.l1d_bytes).c_str(), cache(cpu.l2_bytes).c_str(),
              cache(cpu.l3_bytes).c_str());
  std::printf("instruction sets   %s (best first)\n", joined(isas).c_str());
  std::printf("in use             %s (LINNET_ISA chooses another)\n", std::string(to_string(selected_isa())).c_str());
}

void print_file(const std::string& file, bool json) {
  const Model model = load_model(file);
  const Summary counts = summary(model.graph);
  const Preprocessing& pictures = model.preprocessing;
  const auto bytes = static_cast<Index>(std::filesystem::file_size(file));
  if (json) {
    const nlohmann::json report = {{"file", file},
                                   {"bytes", bytes},
                                   {"name", model.graph.name},
                                   {"input", model.graph.input().shape},
                                   {"output", model.graph.output().shape},
                                   {"parameters", counts.parameters},
                                   {"macs", counts.macs},
                                   {"preprocessing",
                                    {{"resize", pictures.resize},
                                     {"interpolation", pictures.interpolation},
                                     {"crop_mode", pictures.crop_mode},
                                     {"channel_order", pictures.channel_order},
                                     {"mean", pictures.mean},
                                     {"std", pictures.std}}},
                                   {"labels", model.labels}};
    std::printf("%s\n", report.dump(1).c_str());
    return;
  }
  std::printf("file            %s, %s\n", file.c_str(), short_bytes(bytes).c_str());
  std::printf("network         %s\n", describe(model.graph).c_str());
  std::printf("cost            %s parameters, %s multiply-adds\n", short_count(counts.parameters).c_str(),
              short_count(counts.macs).c_str());
  std::printf("pictures        %s, %s\n", pictures.channel_order.c_str(),
              pictures.resize == 0 ? "taken as they are"
                                   : ("shorter side to " + std::to_string(pictures.resize) + ", " +
                                      pictures.interpolation + ", crop " + pictures.crop_mode)
                                         .c_str());
  const auto numbers = [](const std::vector<float>& values) {
    std::string text;
    for (const float value : values) {
      char number[24];
      std::snprintf(number, sizeof number, "%s%g", text.empty() ? "" : ", ", static_cast<double>(value));
      text += number;
    }
    return text;
  };
  std::printf("normalisation   (value / 255 - mean) / std, mean %s, std %s\n", numbers(pictures.mean).c_str(),
              numbers(pictures.std).c_str());
  std::printf("labels          %zu%s\n", model.labels.size(),
              model.labels.empty() ? "" : (": " + joined(model.labels).substr(0, 90)).c_str());
}

}  // namespace

void add_info(CLI::App& app) {
  CLI::App* command = app.add_subcommand("info", "What a model file holds; without a file, what this CPU is");
  auto options = std::make_shared<InfoOptions>();
  command->add_option("file", options->file, "Model file");
  command->add_flag("--json", options->json, "Print a JSON object");
  command->callback(
      [options] { options->file.empty() ? print_cpu(options->json) : print_file(options->file, options->json); });
}

}  // namespace linnet::tools
