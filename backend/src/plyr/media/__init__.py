"""What files really are: audio judged by container and codec, pictures made into covers, both outside our process."""
