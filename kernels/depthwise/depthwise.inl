#pragma once

#include "kernels/depthwise/block.inl"
#include "kernels/depthwise/forward.inl"
#include "kernels/depthwise/input_gradient.inl"
#include "kernels/depthwise/weight_gradient.inl"
