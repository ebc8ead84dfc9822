#include "linnet/error.h"
#include "training/optimisers/adamw.h"
#include "training/optimisers/sgd.h"

namespace linnet::training {

std::vector<std::string_view> optimiser_kinds() { return {"sgd", "adamw"}; }

std::unique_ptr<Optimiser> make_optimiser(const OptimiserOptions& options, const Optimiser::Parameters& parameters) {
  if (options.kind == "sgd") return std::make_unique<Sgd>(parameters, options);
  if (options.kind == "adamw") return std::make_unique<AdamW>(parameters, options);
  throw Error("optimiser: unknown kind '" + options.kind + "', expected sgd or adamw");
}

}  // namespace linnet::training
