// Classifies a picture (PGM or PPM, as large as the network's input): embed MODEL.safetensors PICTURE.pgm
#include <linnet/model.h>
#include <linnet/session.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: embed MODEL.safetensors PICTURE.pgm\n");
    return 2;
  }
  const linnet::Model model = linnet::load_model(argv[1]);
  linnet::Session session(linnet::compile(model));
  const linnet::Shape& shape = session.plan().input_shape();  // [1, height, width, channels]

  std::ifstream file(argv[2], std::ios::binary);
  std::string magic;
  linnet::Index width = 0, height = 0, most = 0;
  file >> magic >> width >> height >> most;
  file.get();
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(linnet::element_count(shape)));
  file.read(reinterpret_cast<char*>(pixels.data()), static_cast<std::streamsize>(pixels.size()));
  if (!file || magic != (shape[3] == 1 ? "P5" : "P6") || height != shape[1] || width != shape[2] || most != 255)
    throw std::runtime_error(std::string(argv[2]) + ": expected a picture of shape " + linnet::to_string(shape));

  std::vector<float> input(pixels.size()), scores(static_cast<std::size_t>(session.plan().output_shape()[1]));
  linnet::normalise(model.preprocessing, height * width, shape[3], pixels.data(), input.data());
  session.run(input, scores);
  const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  std::printf("%s: %s\n", argv[2], model.labels.at(static_cast<std::size_t>(best)).c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "embed: %s\n", error.what());
  return 1;
}
