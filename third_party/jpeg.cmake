# libjpeg-turbo
linnet_library(jpeg JPEG JPEG::JPEG URL https://github.com/libjpeg-turbo/libjpeg-turbo/archive/2.1.5.tar.gz
               SHA256 254f3642b04e309fee775123133c6464181addc150499561020312ec61c1bf7c OPTIONS -DENABLE_SHARED=OFF)
